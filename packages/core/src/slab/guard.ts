import { UseAfterFree } from '../errors.js';
import { COUNTERS } from '../sync/counters.js';
import type { Sync } from '../sync/task.js';

const MEMORY = Symbol('memory');
const OWNER = Symbol('owner');
/** Where an object of a cache has the number of its slot. */
export const SLOT = Symbol('slab slot');

interface Guarded {
  readonly [MEMORY]: object;
  readonly [OWNER]: Guard;
  readonly [SLOT]: number;
}

/** Makes objects that stand for others of one shape. */
type Maker = new (memory: object, owner: Guard, slot: number) => Guarded;

/** By the prototype of what they stand for, and its fields. */
const makers = new WeakMap<object, Map<string, Maker>>();

/** Guards the objects of one cache. */
export class Guard {
  /** The fields of its objects, which are made alike. Private to the language, too: nothing of a machine's state, whoever comes first. */
  #fields: readonly string[] = [];
  #maker: Maker | null = null;

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
    if (this.#maker === null) {
      this.#fields = Object.keys(object);
      this.#maker = makerOf(object, this.#fields, this.marked);
    }
    return new this.#maker(object, this, slot) as object as T;
  }

  /** A free object is accessed. @throws UseAfterFree */
  free(object: Guarded, position: number, write: boolean): void {
    if (this.typesafe && this.sync.current.rcuDepth > 0) return;
    const what = `${write ? 'write' : 'read'} of '${this.#fields[position]}' in freed object ${object[SLOT]}`;
    throw new UseAfterFree(this.name, what);
  }

  /** Tells the watch of a plain access; readers of type-safe memory may race. */
  tell(object: Guarded, position: number, write: boolean): void {
    const { sync, typesafe } = this;
    if (sync.watch === null || sync.marking || (typesafe && sync.current.rcuDepth > 0)) return;
    const place = object[SLOT] * this.#fields.length + position;
    sync.watch.accessed(sync.current, this, place, write, object, this.#fields[position]);
  }

  /** Tells the watch of a marked access. */
  tellMarked(object: Guarded, position: number, write: boolean): void {
    const { sync } = this;
    if (sync.watch !== null && !sync.marking) sync.watch.marked(sync.current, object, this.#fields[position], write);
  }

  /** Tells the watch that an object was freed at once. */
  tellFreed(object: object, slot: number): void {
    const { sync } = this;
    sync.watch?.freed(sync.current, this, slot * this.#fields.length, object, this.#fields);
  }
}

function makerOf(object: object, fields: readonly string[], marked: readonly string[]): Maker {
  const original = Object.getPrototypeOf(object) as object;
  const known = makers.get(original) ?? new Map<string, Maker>();
  makers.set(original, known);
  const shape = `${fields.join()}|${marked.join()}`;
  let maker = known.get(shape);
  if (maker === undefined) {
    const { [COUNTERS]: counters = [] } = object.constructor as { readonly [COUNTERS]?: readonly string[] };
    const tells = (field: string): Tells => (counters.includes(field) ? null : marked.includes(field) ? 'tellMarked' : 'tell');
    const accessors = fields.map((field, position) => [field, accessor(field, position, tells(field))] as const);
    maker = makerFor(Object.create(original, Object.fromEntries(accessors)) as object);
    known.set(shape, maker);
  }
  return maker;
}

function makerFor(prototype: object): Maker {
  function Guarded(this: { -readonly [K in keyof Guarded]: Guarded[K] }, memory: object, owner: Guard, slot: number): void {
    this[MEMORY] = memory;
    this[OWNER] = owner;
    this[SLOT] = slot;
  }
  Guarded.prototype = prototype;
  return Guarded as unknown as Maker;
}

/** Which of its methods a guard is told of accesses to a field by; null: it only counts. */
type Tells = 'tell' | 'tellMarked' | null;

/** Compiled, so that each knows its field and its objects: one for all fields would meet objects of all kinds. */
function accessor(field: string, position: number, tells: Tells): PropertyDescriptor {
  const at = `this[MEMORY][${JSON.stringify(field)}]`;
  const look = (write: boolean): string => `
    const owner = this[OWNER];
    if (!owner.inUse[this[SLOT]]) owner.free(this, ${position}, ${write});
    ${tells === null ? '' : `if (owner.sync.watch !== null) owner.${tells}(this, ${position}, ${write});`}`;
  const body = `return {
    enumerable: true,
    get() { ${look(false)} return ${at}; },
    set(value) { ${look(true)} ${at} = value; },
  };`;
  return (new Function('MEMORY', 'OWNER', 'SLOT', body) as (...symbols: readonly symbol[]) => PropertyDescriptor)(
    MEMORY,
    OWNER,
    SLOT,
  );
}
