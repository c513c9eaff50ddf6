import { LOCK_WORDS, type Step } from '@rmap-lab/core';
import { LOAD, modeOf, READ_LOCK, READ_UNLOCK, STORE, TRY_READ, WRITE_LOCK, WRITE_UNLOCK } from '../access.js';
import { Hash } from '../hash.js';
import { marksOf } from './contents.js';
import type { Traced } from './fields.js';
import { NODE, type Node } from './node.js';

/** Stores to different parts of an object commute, as readers do; a look at all of it commutes with none. */
const PART_STORE = READ_UNLOCK;
/** Stands for everything in a collection together. */
const WHOLE = Symbol('everything in a collection');
/** What is done to a lock that commutes with the same of others. */
const READERS: readonly number[] = [READ_LOCK, READ_UNLOCK, TRY_READ];

/** Takes down what each step reads and stores of traced objects, and what it does to locks. */
export abstract class StepAccesses {
  /** What the step under way touched, once each: `place * 8 + mode`. */
  touched: number[] = [];
  protected listening = false;
  private readonly hash = new Hash();
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

  /** The name of something traced; undefined: it is not. */
  abstract nameOf(object: object): number | undefined;

  /** A step begins. @param hash of its thread's steps so far */
  protected listen(hash: number): void {
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
    if (this.listening) this.lookUp(node, key, value, this.reads);
  }

  /** Whether an entry of a map or a set is there is asked. @internal */
  askKey(node: Node, key: unknown, there: boolean): void {
    if (this.listening) this.lookUp(node, key, there, this.asks);
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

  /** An object that nobody has stored anywhere is no key, and has no name yet by which whoever stores it would be known. */
  private lookUp(node: Node, key: unknown, value: unknown, same: Int32Array): void {
    if (!isObject(key) || this.nameOf(key) !== undefined) this.look(this.placeOf(node, key), value, same);
    else {
      const access = this.wholeOf(node) * 8 + LOAD;
      if (!this.touched.includes(access)) this.touched.push(access);
      this.hash.word(access);
    }
  }

  private store(place: number, mode: number): void {
    if (this.stores[place] === this.step) return;
    this.stores[place] = this.step;
    this.touched.push(place * 8 + mode);
  }

  private value(value: unknown): void {
    if (isObject(value)) this.hash.object(this.nameOf(value) ?? -1);
    else this.hash.plain(value);
  }

  private placeOf(node: Node, key: unknown): number {
    let place = node.byKey.get(key);
    if (place === undefined) {
      // Objects of one schedule are not those of the next: their names are.
      const name = isObject(key) ? `object ${this.nameOf(key)}` : key;
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
}

const isObject = (value: unknown): value is object =>
  (typeof value === 'object' && value !== null) || typeof value === 'function';

function grown(old: Int32Array): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(old.length * 2);
  larger.set(old);
  return larger;
}
