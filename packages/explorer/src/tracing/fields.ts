import { MEMORY, NODE, type Node } from './node.js';

/** What a traced object carries. */
export interface Traced {
  [NODE]?: Node;
  [MEMORY]?: Record<PropertyKey, unknown>;
}

// Not configurable: who deletes or defines such a field fails, as what he then stored would not be seen.

/** Accessors of a field that is the state of a lock: who has it for writing, or the number of its readers. */
export const lockWord = (key: PropertyKey): PropertyDescriptor => ({
  enumerable: true,
  configurable: false,
  get(this: Required<Traced>) {
    const value = this[MEMORY][key];
    this[NODE].tracing.readLock(this[NODE], value);
    return value;
  },
  set(this: Required<Traced>, value: unknown) {
    this[NODE].tracing.writeLock();
    this[MEMORY][key] = value;
  },
});

/** Accessors by key and position, shared by all objects that have such a field there. */
const shared = (make: (key: PropertyKey, position: number) => PropertyDescriptor): typeof make => {
  const known = new Map<PropertyKey, PropertyDescriptor[]>();
  return (key, position) => {
    let positions = known.get(key);
    if (positions === undefined) {
      positions = [];
      known.set(key, positions);
    }
    positions[position] ??= make(key, position);
    return positions[position];
  };
};

/** Accessors of a field. */
export const accessor = shared((key, position) => ({
  enumerable: true,
  configurable: false,
  get(this: Required<Traced>) {
    const value = this[MEMORY][key];
    this[NODE].tracing.read(this[NODE], position, value);
    return value;
  },
  set(this: Required<Traced>, value: unknown) {
    const { tracing } = this[NODE];
    tracing.write(this[NODE], position);
    this[MEMORY][key] = tracing.adopt(value);
  },
}));

/** Accessors of a symbol's or a hidden field: often the object's own business and never stored again, then nobody needs to be told of it. */
export const quietAccessor = shared((key, position) => ({
  enumerable: true,
  configurable: false,
  get(this: Required<Traced>) {
    const value = this[MEMORY][key];
    this[NODE].tracing.readQuietly(this[NODE], position, key, value);
    return value;
  },
  set(this: Required<Traced>, value: unknown) {
    const { tracing } = this[NODE];
    tracing.writeQuietly(this[NODE], position, key);
    this[MEMORY][key] = tracing.adopt(value);
  },
}));
