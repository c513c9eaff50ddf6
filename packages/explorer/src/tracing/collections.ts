import { Untraceable } from '../program.js';
import { type Node, reached } from './node.js';

const hidden = (methods: Record<PropertyKey, unknown>): PropertyDescriptorMap =>
  Object.fromEntries(Reflect.ownKeys(methods).map((key) => [key, { value: methods[key], configurable: true }]));

/** What all iterators inherit. */
const iterators = Object.getPrototypeOf(Object.getPrototypeOf(new Map().keys()) as object) as object;

/** An iterator of a collection, which others may change between any two of its steps: each looks at all of it. */
class Looking<T> implements IterableIterator<T> {
  static {
    Object.setPrototypeOf(Looking.prototype, iterators);
  }
  constructor(
    private readonly look: () => void,
    private readonly plain: IterableIterator<T>,
  ) {}

  next(): IteratorResult<T> {
    this.look();
    return this.plain.next();
  }

  [Symbol.iterator](): this {
    return this;
  }
}

type Method = (...args: unknown[]) => unknown;

/** Methods that only newer engines give a collection. */
const newer = (plain: object, known: readonly string[]): readonly (readonly [name: string, method: Method])[] =>
  Object.entries(Object.getOwnPropertyDescriptors(plain))
    .filter(([name, { value }]) => typeof value === 'function' && name !== 'constructor' && !known.includes(name))
    .map(([name, { value }]) => [name, value as Method]);
const COMMON = ['has', 'delete', 'clear', 'keys', 'values', 'entries', 'forEach'];
/** They may store. */
const REFUSED_OF_MAPS = hidden(
  Object.fromEntries(
    newer(Map.prototype, [...COMMON, 'get', 'set']).map(([name]) => [
      name,
      () => {
        throw new Untraceable(`what '${name}' does to a map can't be followed: use get, has and set`);
      },
    ]),
  ),
);
/** They all look and store nothing. */
const NEWER_OF_SETS = newer(Set.prototype, [...COMMON, 'add']);

/** Makes a map tell what is done with it. */
export function traceMap(map: Map<unknown, unknown>, node: Node): void {
  const { tracing } = node;
  const plain = Map.prototype;
  const whole = (): Map<unknown, unknown> => {
    tracing.readWhole(node, map);
    return map;
  };
  Object.defineProperties(map, {
    ...hidden({
      get(sought: unknown) {
        const key = reached(sought);
        const value = plain.get.call(map, key) as unknown;
        tracing.readKey(node, key, value);
        return value;
      },
      has(sought: unknown) {
        const key = reached(sought);
        const there = plain.has.call(map, key);
        tracing.askKey(node, key, there);
        return there;
      },
      set(key: unknown, value: unknown) {
        const adopted = tracing.adopt(key);
        tracing.writeKey(node, adopted);
        plain.set.call(map, adopted, tracing.adopt(value));
        return map;
      },
      delete(sought: unknown) {
        const key = reached(sought);
        const there = plain.delete.call(map, key);
        tracing.askKey(node, key, there);
        tracing.writeKey(node, key);
        return there;
      },
      clear() {
        for (const key of plain.keys.call(map)) tracing.writeKey(node, key);
        tracing.writeWhole(node);
        plain.clear.call(map);
      },
      keys: () => new Looking(whole, plain.keys.call(map)),
      values: () => new Looking(whole, plain.values.call(map)),
      entries: () => new Looking(whole, plain.entries.call(map)),
      forEach(...how: Parameters<typeof plain.forEach>) {
        plain.forEach.apply(whole(), how);
      },
    }),
    ...REFUSED_OF_MAPS,
    [Symbol.iterator]: { value: () => new Looking(whole, plain.entries.call(map)), configurable: true },
    size: { get: () => Reflect.get(plain, 'size', whole()), configurable: true },
  });
}

/** Makes a set tell what is done with it. */
export function traceSet(set: Set<unknown>, node: Node): void {
  const { tracing } = node;
  const plain = Set.prototype;
  const whole = (): Set<unknown> => {
    tracing.readWhole(node, set);
    return set;
  };
  Object.defineProperties(set, {
    ...hidden({
      has(sought: unknown) {
        const value = reached(sought);
        const there = plain.has.call(set, value);
        tracing.askKey(node, value, there);
        return there;
      },
      add(value: unknown) {
        const adopted = tracing.adopt(value);
        tracing.writeKey(node, adopted);
        plain.add.call(set, adopted);
        return set;
      },
      delete(sought: unknown) {
        const value = reached(sought);
        const there = plain.delete.call(set, value);
        tracing.askKey(node, value, there);
        tracing.writeKey(node, value);
        return there;
      },
      clear() {
        for (const value of plain.values.call(set)) tracing.writeKey(node, value);
        tracing.writeWhole(node);
        plain.clear.call(set);
      },
      keys: () => new Looking(whole, plain.values.call(set)),
      values: () => new Looking(whole, plain.values.call(set)),
      entries: () => new Looking(whole, plain.entries.call(set)),
      forEach(...how: Parameters<typeof plain.forEach>) {
        plain.forEach.apply(whole(), how);
      },
    }),
    ...hidden(
      Object.fromEntries(NEWER_OF_SETS.map(([name, method]) => [name, (...args: unknown[]) => method.apply(whole(), args)])),
    ),
    [Symbol.iterator]: { value: () => new Looking(whole, plain.values.call(set)), configurable: true },
    size: { get: () => Reflect.get(plain, 'size', whole()), configurable: true },
  });
}
