import { COUNTERS, LOCK_WORDS, type Step } from '@rmap-lab/core';
import { LOAD, modeOf, READ_LOCK, READ_UNLOCK, STORE, TRY_READ, WRITE_LOCK, WRITE_UNLOCK } from '../access.js';
import { Hash } from '../hash.js';
import { Untraceable } from '../program.js';
import { IGNORED, kindOf } from '../shape.js';
import { traceMap, traceSet } from './collections.js';
import { contentsOf, marksOf } from './contents.js';
import { accessor, lockWord, quietAccessor, type Traced } from './fields.js';
import { LASTING, MEMORY, NODE, Node, proxyOf, untraced } from './node.js';

/** Stores to different parts of an object commute, as readers do; a look at all of it commutes with none. */
const PART_STORE = READ_UNLOCK;
/** Names of objects that one thread makes. */
const NAMES = 2 ** 20;
/** Who makes what is there before any thread runs; the first of the threads. */
const MAKER = 0;
const FIRST = 1;
/** Stands for everything in a collection together. */
const WHOLE = Symbol('everything in a collection');
/** Hold what is neither a field nor an element, nor can be gone through. */
const HIDING = [DataView, ArrayBuffer, SharedArrayBuffer, WeakMap, WeakSet, Date];
/** What is done to a lock that commutes with the same of others. */
const READERS: readonly number[] = [READ_LOCK, READ_UNLOCK, TRY_READ];
const NO_FIELDS: readonly PropertyKey[] = [];

/**
 * Tells what each step reads and stores: makes everything that can be reached from some objects, and whatever is stored there later,
 * report accesses. What functions close over, `#private` fields and fields named by `COUNTERS` are not seen. What else can't be
 * followed is refused.
 */
export class Tracing {
  /** What the step under way touched, once each: `place * 8 + mode`. */
  touched: number[] = [];
  private listening = false;
  private thread = MAKER;
  private readonly hash = new Hash();
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
  /** What has fields that are traced, and how many it had then; what was there at first comes first. */
  private readonly followed: (readonly [object: object, fields: number])[] = [];
  private firstFollowed = 0;
  private refused: Untraceable | null = null;
  private places = 0;
  private step = 0;
  /** Locks that were looked at in the step, and whether the number of readers was, which is more than to take the lock or to give it up. */
  private readonly looked = new Map<number, boolean>();
  /** The lock whose readers were looked at last, perhaps only to count one more; below 0: none. */
  private counting = -1;
  /** By place: the last step that read it, that asked whether something is there, and that stored it. */
  private reads = new Int32Array(1024);
  private asks = new Int32Array(1024);
  private stores = new Int32Array(1024);

  constructor(roots: readonly object[]) {
    for (const root of roots) this.adopt(root);
    [this.first] = this.named;
    this.firstFollowed = this.followed.length;
  }

  /** A new schedule begins: what the one before made is gone. @throws Untraceable */
  restart(): void {
    if (this.refused !== null) throw this.refused;
    this.schedule++;
    this.followed.length = this.firstFollowed;
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
    for (const [object, fields] of this.followed)
      if (Object.keys(object).length !== fields)
        this.refuse('a field that a thread adds to or deletes from', object, 'give it that field for good, or use a map');
    return this.lasting + this.stored.size;
  }

  /** A step of `thread` begins. @param hash of its steps so far */
  begin(thread: number, hash: number): void {
    this.thread = thread + FIRST;
    this.touched = [];
    this.step++;
    this.hash.restart(hash);
    this.hash.word(1);
    this.listening = true;
  }

  /** The step is over; the hash of the thread's steps, of all that it has read so far. Threads with equal hashes go on alike. */
  end(): number {
    this.listening = false;
    for (const place of this.looked.keys()) this.touched.push(place * 8 + LOAD);
    this.looked.clear();
    this.counting = -1;
    return this.hash.value;
  }

  /** A step of `thread` begins that nobody needs to be told about. */
  pass(thread: number): void {
    this.thread = thread + FIRST;
  }

  /** A value that is stored in something traced: traced from now on, if it is an object. What to store instead of it. */
  adopt(value: unknown): unknown {
    if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return value;
    const object = untraced(value);
    const node = this.nodeOf(object);
    if (node === undefined) this.trace(object);
    else if (node.tracing !== this || (node.schedule !== this.schedule && node.schedule !== LASTING)) this.keep(object, node);
    return Array.isArray(object) || ArrayBuffer.isView(object) ? proxyOf(object) : value;
  }

  /** The name of something traced; undefined: it is not. */
  nameOf(object: object): number | undefined {
    return this.nodeOf(object)?.name;
  }

  /** A field or an element is read. @internal */
  read(node: Node, position: number, value: unknown): void {
    if (!this.listening) return;
    node.places[position] ??= this.newPlace();
    this.look(node.places[position], value, this.reads);
  }

  /** Whether an element is there is asked. @internal */
  ask(node: Node, position: number, there: boolean): void {
    if (!this.listening) return;
    node.places[position] ??= this.newPlace();
    this.look(node.places[position], there, this.asks);
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

  /** The state of a lock is looked at, perhaps only to take it. @internal */
  readLock(node: Node, value: unknown): void {
    if (!this.listening) return;
    const place = this.placeOf(node, 0);
    this.readersSeen();
    this.looked.set(place, this.looked.get(place) ?? false);
    this.counting = typeof value === 'number' ? place : -1;
    this.hash.word(place);
    this.value(value);
  }

  /** The state of a lock changes: a number of readers that was just looked at was so to be changed. @internal */
  writeLock(): void {
    this.counting = -1;
  }

  /** Whoever looked at the number of readers of a lock last did not change it. */
  private readersSeen(): void {
    if (this.counting >= 0) this.looked.set(this.counting, true);
    this.counting = -1;
  }

  /** A step is about to be made; of locks it says what becomes of them. */
  announced(step: Step): void {
    const { kind, object, key = 0 } = step;
    if (kind === 'lock' || kind === 'unlock' || kind === 'try') this.lock(object, key, modeOf(step));
  }

  /** A lock is taken. @param tried it would not have waited */
  acquired(lock: object, key: number, write: boolean, tried: boolean): void {
    this.lock(lock, key, tried ? (write ? STORE : TRY_READ) : write ? WRITE_LOCK : READ_LOCK);
  }

  /** A lock is given up. */
  released(lock: object, key: number, write: boolean): void {
    this.lock(lock, key, write ? WRITE_UNLOCK : READ_UNLOCK);
  }

  /** A field or an element is stored. @internal */
  write(node: Node, position: number): void {
    if (!this.listening) return;
    node.places[position] ??= this.newPlace();
    this.store(node.places[position], STORE);
  }

  /** An entry of a map is read. @internal */
  readKey(node: Node, key: unknown, value: unknown): void {
    if (this.listening) this.look(this.placeOf(node, key), value, this.reads);
  }

  /** Whether an entry of a map or a set is there is asked. @internal */
  askKey(node: Node, key: unknown, there: boolean): void {
    if (this.listening) this.look(this.placeOf(node, key), there, this.asks);
  }

  /** An entry of a map or a set is stored, comes or goes. @internal */
  writeKey(node: Node, key: unknown): void {
    if (!this.listening) return;
    this.store(this.placeOf(node, key), STORE);
    this.store(this.wholeOf(node), STORE);
  }

  /** A map or a set is emptied, which it may have been before. @internal */
  writeWhole(node: Node): void {
    if (this.listening) this.store(this.wholeOf(node), STORE);
  }

  /** An element of a typed array is stored, which matters to whoever looks at all of it. @internal */
  writePart(node: Node): void {
    if (this.listening) this.store(this.wholeOf(node), PART_STORE);
  }

  /** Everything in a map, a set or a typed array is read. @internal */
  readWhole(node: Node, object: object): void {
    if (!this.listening) return;
    const place = this.wholeOf(node);
    if (this.reads[place] === this.step) return;
    this.reads[place] = this.step;
    this.touched.push(place * 8 + LOAD);
    this.hash.word(place);
    // It says how much there is, so that what the thread reads next never goes by what it read here.
    if (object instanceof Map) {
      this.hash.number(Reflect.get(Map.prototype, 'size', object));
      for (const [key, value] of Map.prototype.entries.call(object)) {
        this.value(key);
        this.value(value);
      }
    } else if (object instanceof Set) {
      this.hash.number(Reflect.get(Set.prototype, 'size', object));
      for (const value of Set.prototype.values.call(object)) this.value(value);
    } else {
      const numbers = object as Int32Array | BigInt64Array;
      for (let i = 0; i < numbers.length; i++) {
        if (numbers[i] === 0) continue;
        this.hash.word(i);
        this.hash.plain(numbers[i]);
      }
      this.hash.word(numbers.length);
    }
  }

  private lock(lock: object, key: number, mode: number): void {
    const node = (lock as Traced)[NODE];
    if (!this.listening || node === undefined || !(LOCK_WORDS in marksOf(lock))) return;
    const place = this.placeOf(node, key);
    this.readersSeen();
    if (this.looked.get(place) !== true || !READERS.includes(mode)) this.looked.delete(place);
    const access = place * 8 + mode;
    if (this.touched.includes(access)) return;
    // Whoever waited for the lock could have come before those who had it: that is looked for before anything else orders the two.
    if (mode === READ_LOCK || mode === WRITE_LOCK) this.touched.unshift(access);
    else this.touched.push(access);
  }

  /** What a thread read after its own store in the same step tells it nothing new; nor does what it read twice, in the `same` way. */
  private look(place: number, value: unknown, same: Int32Array): void {
    const { reads, asks, step } = this;
    if (same[place] === step || this.stores[place] === step) return;
    if (reads[place] !== step && asks[place] !== step) this.touched.push(place * 8 + LOAD);
    same[place] = step;
    this.hash.word(place);
    this.value(value);
  }

  private store(place: number, mode: number): void {
    if (this.stores[place] === this.step) return;
    this.stores[place] = this.step;
    this.touched.push(place * 8 + mode);
  }

  private value(value: unknown): void {
    if ((typeof value !== 'object' && typeof value !== 'function') || value === null) this.hash.plain(value);
    else this.hash.object(this.nameOf(value) ?? -1);
  }

  private placeOf(node: Node, key: unknown): number {
    let place = node.byKey.get(key);
    if (place === undefined) {
      // Objects of one schedule are not those of the next: their names are.
      const name = (typeof key === 'object' && key !== null) || typeof key === 'function' ? `object ${this.nameOf(key)}` : key;
      place = node.byKey.get(name) ?? this.newPlace();
      node.byKey.set(name, place);
    }
    return place;
  }

  private wholeOf(node: Node): number {
    return this.placeOf(node, WHOLE);
  }

  private newPlace(): number {
    const place = this.places++;
    if (place === this.reads.length) {
      this.reads = grown(this.reads);
      this.asks = grown(this.asks);
      this.stores = grown(this.stores);
    }
    return place;
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
    if (HIDING.some((kind) => object instanceof kind))
      this.refuse('what is stored in', object, 'use a typed array, a map, a set or a number');
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
    }
  }

  /** What is stored by way of one typed array is not seen by way of another. */
  private claim(view: ArrayBufferView): void {
    const end = view.byteOffset + view.byteLength;
    const views = this.views.get(view.buffer) ?? [];
    if (views.some((other) => other.byteOffset < end && view.byteOffset < other.byteOffset + other.byteLength))
      this.refuse('what is stored in memory that another typed array shares with', view, 'give each its own memory');
    this.views.set(view.buffer, [...views, view]);
  }

  private traceElements(array: unknown[]): void {
    // Names come behind numbers.
    const last = Object.keys(array).at(-1);
    if (last !== undefined && Number.isNaN(Number(last))) this.refuse(`the field '${last}' of`, array, 'let an object have it');
    for (let i = 0; i < array.length; i++) array[i] = this.adopt(array[i]);
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

  /** For good, as what was traced half is no longer as it was. @param what of the object can't be followed @param advice what to do about it */
  private refuse(what: string, object: object, advice: string): never {
    this.refused = new Untraceable(
      `${what} a shared ${kindOf(object)} can't be followed: ${advice}, or explore by another engine`,
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
    this.followed.push([object, Object.keys(object).length]);
  }
}

function grown(old: Int32Array): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(old.length * 2);
  larger.set(old);
  return larger;
}
