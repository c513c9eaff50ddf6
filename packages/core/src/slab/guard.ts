import { UseAfterFree } from '../errors.js';
import type { Sync } from '../sync/task.js';

/** The cache that a guarded object belongs to. */
interface Owner {
  readonly name: string;
  readonly sync: Sync;
  /** By slot. Slots are never used again in checked mode, so this never lies about an object; but for type-safe ones. */
  readonly inUse: readonly boolean[];
  /** Lock-free readers may look at what is free, or somebody else's by now; nobody else may. */
  readonly typesafe: boolean;
}

const MEMORY = Symbol('memory');
const OWNER = Symbol('owner');
const SLOT = Symbol('slot');
interface Guarded {
  [MEMORY]: Record<string, unknown>;
  [OWNER]: Owner;
  [SLOT]: number;
}

/** Prototypes of guarded objects, by the prototype of what they guard and the fields. */
const prototypes = new WeakMap<object, Map<string, object>>();

/** An object with the same fields and methods: an access after it was freed throws {@link UseAfterFree}, others are told to the watch. */
export function guard<T extends object>(object: T, owner: Owner, slot: number, marked: readonly string[]): T {
  const guarded = Object.create(prototypeOf(object, marked)) as Guarded;
  guarded[MEMORY] = object as Record<string, unknown>;
  guarded[OWNER] = owner;
  guarded[SLOT] = slot;
  return guarded as unknown as T;
}

function prototypeOf(object: object, marked: readonly string[]): object {
  const original = Object.getPrototypeOf(object) as object;
  const known = prototypes.get(original) ?? new Map<string, object>();
  prototypes.set(original, known);
  const fields = Object.keys(object);
  const shape = `${fields.join()}|${marked.join()}`;
  let prototype = known.get(shape);
  if (prototype === undefined) {
    prototype = Object.create(
      original,
      Object.fromEntries(fields.map((field) => [field, accessors(field, marked.includes(field))])),
    ) as object;
    known.set(shape, prototype);
  }
  return prototype;
}

const accessors = (field: string, marked: boolean): PropertyDescriptor & ThisType<Guarded> => ({
  enumerable: true,
  get() {
    look(this, field, marked, false);
    return this[MEMORY][field];
  },
  set(value: unknown) {
    look(this, field, marked, true);
    this[MEMORY][field] = value;
  },
});

function look(object: Guarded, field: string, marked: boolean, write: boolean): void {
  const { name, sync, inUse, typesafe } = object[OWNER];
  const { watch, marking, current } = sync;
  if (!inUse[object[SLOT]] && !(typesafe && current.rcuDepth > 0))
    throw new UseAfterFree(name, `${write ? 'write' : 'read'} of '${field}' in freed object ${object[SLOT]}`);
  if (watch === null || marking || typesafe) return;
  if (marked) watch.marked(current, object, field);
  else watch.accessed(current, object, field, write);
}
