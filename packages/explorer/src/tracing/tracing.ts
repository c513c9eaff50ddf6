import { COUNTERS, LOCK_WORDS } from '@rmap-lab/core';
import { hiddenIn } from '../hiding.js';
import { Untraceable } from '../program.js';
import { IGNORED, keysOf, kindOf } from '../shape.js';
import { traceMap, traceSet } from './collections.js';
import { contentsOf, marksOf } from './contents.js';
import { accessor, lockWord, quietAccessor, type Traced } from './fields.js';
import { LASTING, MEMORY, NODE, Node, proxyOf, untraced } from './node.js';
import { StepAccesses } from './step-accesses.js';

/** Names of objects that one thread makes. */
const NAMES = 2 ** 20;
/** Who makes what is there before any thread runs; the first of the threads. */
const MAKER = 0;
const FIRST = 1;
const NO_FIELDS: readonly PropertyKey[] = [];
const prototypeOf = (object: object): object | null => Object.getPrototypeOf(object) as object | null;

/**
 * Makes everything that can be reached from some objects, and whatever is stored there later, report what steps read and store. What functions close over, `#private` fields and fields named by `COUNTERS` are not seen. What else can't be
 * followed is refused.
 */
export class Tracing extends StepAccesses {
  private thread = MAKER;
  /** Names given so far, by who gave them. */
  private readonly named: number[] = [0];
  private first = 0;
  private readonly nodes = new Map<number, Node>();
  /** Of what can't carry them. */
  private readonly apart = new WeakMap<object, Node>();
  /** By their memory. */
  private readonly views = new WeakMap<ArrayBufferLike, readonly ArrayBufferView[]>();
  private schedule = LASTING;
  /** How many objects threads stored that turned out to outlive their schedule, such as constants of a module. */
  private lasting = 0;
  /** Keys of quiet fields that were stored. */
  private readonly stored = new Set<PropertyKey>();
  /** What was there at first and has fields that are traced; its keys, and how many it has with those of who looks on. */
  private readonly followed: { readonly object: object; readonly keys: number; all: number }[] = [];
  /** The same of what was made since the schedule began, and how many named fields it had: a slab cache may still give it a number. */
  private readonly made: (readonly [object: object, fields: number])[] = [];
  private readonly inherited = new WeakSet<object>();
  private refused: Untraceable | null = null;

  constructor(roots: readonly object[]) {
    super();
    for (const root of roots) this.adopt(root);
    [this.first] = this.named;
  }

  /** A new schedule begins: what the one before made is gone. @throws Untraceable */
  restart(): void {
    if (this.refused !== null) throw this.refused;
    this.schedule++;
    this.made.length = 0;
    this.named.fill(0);
    this.named[MAKER] = this.first;
    this.listening = false;
    this.thread = MAKER;
  }

  /**
   * A schedule is over. Says how often by now it turned out that what was found was found by wrong names or with fields left out: where
   * that is more than before, the search is to start over. @throws Untraceable
   */
  finish(): number {
    for (const one of this.followed) {
      const { length } = Reflect.ownKeys(one.object);
      if (length === one.all) continue;
      if (keysOf(one.object).length !== one.keys) this.refuseAdded(one.object);
      one.all = length;
    }
    for (const [object, fields] of this.made) if (Object.keys(object).length !== fields) this.refuseAdded(object);
    return this.lasting + this.stored.size;
  }

  /** A step of `thread` begins. @param hash of its steps so far */
  begin(thread: number, hash: number): void {
    this.thread = thread + FIRST;
    this.listen(hash);
  }

  /** A step of `thread` begins that nobody needs to be told about. */
  pass(thread: number): void {
    this.thread = thread + FIRST;
  }

  /** A value that is stored in something traced: traced from now on, if it is an object. What to store instead of it. */
  adopt(value: unknown): unknown {
    if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return value;
    const object = untraced(value);
    // Not one that it inherits.
    const node = Object.hasOwn(object, NODE) ? (object as Traced)[NODE] : this.apart.get(object);
    if (node === undefined) this.trace(object);
    else if (node.tracing !== this || (node.schedule !== this.schedule && node.schedule !== LASTING)) this.keep(object, node);
    return Array.isArray(object) || ArrayBuffer.isView(object) ? proxyOf(object) : value;
  }

  nameOf(object: object): number | undefined {
    return this.nodeOf(object)?.name;
  }

  /** A quiet field is read, which matters once it is stored by anybody. @internal */
  readQuietly(node: Node, position: number, key: PropertyKey, value: unknown): void {
    if (this.stored.has(key)) this.read(node, position, value);
  }

  /** A quiet field is stored. @internal */
  writeQuietly(node: Node, position: number, key: PropertyKey): void {
    this.stored.add(key);
    this.write(node, position);
  }

  private nodeOf(object: object): Node | undefined {
    return (object as Traced)[NODE] ?? this.apart.get(object);
  }

  private newNode(): Node {
    const name = this.newName();
    const same = this.nodes.get(name);
    const node = new Node(this, name, this.schedule, same);
    if (same === undefined) this.nodes.set(name, node);
    return node;
  }

  private newName(): number {
    const { thread, named } = this;
    named[thread] = (named[thread] ?? 0) + 1;
    return thread * NAMES + named[thread];
  }

  /**
   * What outlives its schedule, and all below it, gets a name for good: whoever stores it first would use up one of his names in one
   * schedule and not in the next, and what he makes then would go by another. What was found by then is void: searches start over.
   */
  private keep(object: object, node: Node): void {
    this.nodes.delete(node.name);
    node.keep(this, -1 - ++this.lasting);
    for (const value of contentsOf(object)) this.adopt(value);
  }

  private trace(object: object): void {
    const hidden = object instanceof DataView ? { what: 'what is stored in', advice: 'use a typed array' } : hiddenIn(object);
    if (hidden !== null) this.refuse(hidden.what, object, hidden.advice, "let a strategy say state: 'free', and");
    this.refuseInheritance(object);
    const node = this.newNode();
    if (typeof object === 'function') this.apart.set(object, node);
    else if (!Object.isExtensible(object)) {
      this.apart.set(object, node);
      this.traceFrozen(object);
    } else {
      Object.defineProperty(object, NODE, { value: node });
      if (Array.isArray(object)) this.traceElements(object);
      else if (ArrayBuffer.isView(object)) this.claim(object);
      else this.traceFields(object);
      if (object instanceof Map) {
        const entries = [...(object as Map<unknown, unknown>)];
        object.clear();
        for (const [key, value] of entries) object.set(this.adopt(key), this.adopt(value));
        traceMap(object, node);
      } else if (object instanceof Set) {
        const values = [...(object as Set<unknown>)];
        object.clear();
        for (const value of values) object.add(this.adopt(value));
        traceSet(object, node);
      }
      if (!(MEMORY in object)) return;
      if (this.schedule === LASTING) this.followed.push({ object, keys: keysOf(object).length, all: -1 });
      else this.made.push([object, Object.keys(object).length]);
    }
  }

  /** Accessors of what is inherited would go by the fields of who inherits, and methods of a class go past those of a map that tell. */
  private refuseInheritance(object: object): void {
    const plain = object instanceof Map ? Map.prototype : object instanceof Set ? Set.prototype : undefined;
    let inMethods = plain !== undefined;
    for (let above = prototypeOf(object); above !== null; above = prototypeOf(above)) {
      inMethods &&= above !== plain;
      if (inMethods && Reflect.ownKeys(above).length > 1)
        this.refuse('what methods of its class do to', object, 'let an object have the methods, and the collection as a field');
      if (Object.hasOwn(above, NODE)) this.refuse('what is inherited by', object, 'let a field hold what it inherits from');
      this.inherited.add(above);
    }
    if (this.inherited.has(object)) this.refuse('what others inherit from', object, 'let a field of theirs hold it');
  }

  /** What is stored by way of one typed array is not seen by way of another. */
  private claim(view: ArrayBufferView): void {
    const end = view.byteOffset + view.byteLength;
    const views = this.views.get(view.buffer) ?? [];
    if (views.some((other) => other.byteOffset < end && view.byteOffset < other.byteOffset + other.byteLength))
      this.refuse('what is stored in memory that another typed array shares with', view, 'give each its own memory');
    this.views.set(view.buffer, [...views, view]);
  }

  private refuseAdded(object: object): never {
    return this.refuse('a field that a thread adds to', object, 'give it that field from the start, or use a map');
  }

  private traceElements(array: unknown[]): void {
    // Names come behind numbers.
    const last = Object.keys(array).at(-1);
    if (last !== undefined && Number.isNaN(Number(last))) this.refuse(`the field '${last}' of`, array, 'let an object have it');
    for (let i = 0; i < array.length; i++) if (i in array) array[i] = this.adopt(array[i]);
  }

  /** What can be seen but not changed needs only be followed below, where no array asks for its proxy to be put there. */
  private traceFrozen(object: object): void {
    if (object instanceof Map || object instanceof Set) this.refuse('the entries of', object, 'do not freeze it');
    for (const key of Reflect.ownKeys(object)) {
      const { value, writable } = Object.getOwnPropertyDescriptor(object, key) as PropertyDescriptor;
      if (writable === true) this.refuse(`the field '${String(key)}' of`, object, 'freeze it, or do not seal it');
      if (this.adopt(value) !== value)
        this.refuse(`the array in the field '${String(key)}' of`, object, 'freeze the array, too, or not the object');
    }
  }

  /** For good, as what was traced half is no longer as it was. @param what of the object can't be followed @param advice what to do about it @param first what else it takes for another engine */
  private refuse(what: string, object: object, advice: string, first?: string): never {
    this.refused = new Untraceable(
      `${what} a shared ${kindOf(object)} can't be followed: ${advice}, or ${first === undefined ? '' : `${first} `}explore by another engine`,
    );
    throw this.refused;
  }

  private traceFields(object: object): void {
    const { [COUNTERS]: counters = NO_FIELDS, [LOCK_WORDS]: locks = NO_FIELDS } = marksOf(object);
    const memory: Record<PropertyKey, unknown> = {};
    Object.defineProperty(object, MEMORY, { value: memory });
    let position = 0;
    for (const key of Reflect.ownKeys(object)) {
      if (IGNORED.has(key) || counters.includes(key)) continue;
      const field = Object.getOwnPropertyDescriptor(object, key) as PropertyDescriptor;
      const { value, writable, configurable, enumerable } = field;
      if (!('value' in field)) continue;
      if (writable === true && configurable === true) {
        memory[key] = value;
        const quiet = typeof key === 'symbol' || enumerable !== true;
        const accessors = locks.includes(key)
          ? lockWord(key)
          : quiet
            ? quietAccessor(key, position++)
            : accessor(key, position++);
        Object.defineProperty(object, key, enumerable === true ? accessors : { ...accessors, enumerable });
      } else if (writable === true) this.refuse(`the field '${String(key)}' of`, object, 'let it be configurable');
      else if (configurable === true) Object.defineProperty(object, key, { value: this.adopt(value) });
      else if (this.adopt(value) !== value)
        this.refuse(`the array in the field '${String(key)}' of`, object, 'freeze the array, too');
    }
    for (const key of Reflect.ownKeys(memory)) memory[key] = this.adopt(memory[key]);
  }
}
