import { UseAfterFree } from '../errors.js';
import type { Sync } from '../sync/task.js';

const MEMORY = Symbol('memory');
const OWNER = Symbol('owner');
const SLOT = Symbol('slot');
interface Guarded {
  [MEMORY]: Record<string, unknown>;
  [OWNER]: Guard;
  [SLOT]: number;
}

/** Prototypes of guarded objects, by the prototype of what they guard and the fields. */
const prototypes = new WeakMap<object, Map<string, object>>();
/** The same by cache: its objects are made alike. */
const ofCache = new WeakMap<Guard, object>();

/** Guards the objects of one cache. */
export class Guard {
  constructor(
    readonly name: string,
    readonly sync: Sync,
    /** By slot. Slots are never used again in checked mode, so this never lies about an object; but for type-safe ones. */
    readonly inUse: readonly boolean[],
    /** Lock-free readers may look at what is free, or somebody else's by now; nobody else may. */
    readonly typesafe: boolean,
    private readonly marked: readonly string[],
  ) {}

  /** An object with the same fields and methods: an access after it was freed throws {@link UseAfterFree}, others are told to the watch. */
  around<T extends object>(object: T, slot: number): T {
    let prototype = ofCache.get(this);
    if (prototype === undefined) {
      prototype = prototypeOf(object, this.marked);
      ofCache.set(this, prototype);
    }
    const guarded = Object.create(prototype) as Guarded;
    guarded[MEMORY] = object as Record<string, unknown>;
    guarded[OWNER] = this;
    guarded[SLOT] = slot;
    return guarded as unknown as T;
  }
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
