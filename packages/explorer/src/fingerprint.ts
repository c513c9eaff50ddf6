import { type WordReader, wordsOf } from './column.js';
import { Hash } from './hash.js';
import { type Reader, type Shape, shapeOf } from './shape.js';
import type { Snapshot } from './snapshot.js';
import { untraced } from './tracing/node.js';

/** Come before what collections hold, as the number of its shape comes before what an object does. */
const COLLECTIONS = { view: -1, array: -2, map: -3, set: -4 } as const;

/** A shape of new objects. */
interface Met {
  readonly names: readonly string[];
  readonly shape: Shape;
  /** By the order in which they were met. */
  readonly number: number;
}

/**
 * How the state of what a snapshot holds differs from the snapshot, as a number of 53 bits: equal for equal states, whatever way led
 * there and in whatever order their new objects were made; for different ones by chance only, once in 10^15 pairs.
 */
export class Fingerprint implements Reader, WordReader {
  private readonly numbers = new Map<object, number>();
  /** New objects: few. */
  private readonly fresh: object[] = [];
  /** Shapes of new objects by prototype. */
  private readonly shapes = new Map<object | null, Met[]>();
  private met = 0;
  private readonly functions = new WeakMap<object, number>();
  private metFunctions = 0;
  private readonly hash = new Hash();
  /** Where what is compared next begins in the order of all. */
  private place = 0;

  /** @param nameOf what threads call an object that was not there at first, if that matters */
  constructor(
    private readonly snapshot: Snapshot,
    private readonly nameOf: ((object: object) => number | undefined) | undefined,
  ) {
    for (const object of snapshot.objects) this.numbers.set(object, this.numbers.size);
  }

  /** The fingerprint of the state as it is now; marks in the snapshot what has changed. */
  take(): number {
    const { fields, arrays, columns, maps, sets, counting, changed } = this.snapshot;
    this.fresh.length = 0;
    this.hash.restart();
    this.place = 0;
    let part = 0;
    for (let i = 0; i < fields.length; i++) {
      const { shape, object, values, names, open } = fields[i];
      changed[part] = shape.compare(object, values, this.place, this);
      if (open && (shape.count(object) !== names.length || (changed[part] !== 0 && !hasAll(object, names)))) {
        changed[part] = 1;
        this.named(object, names);
      }
      part++;
      this.place += values.length;
    }
    for (let i = 0; i < arrays.length; i++) {
      const same = sameElements(arrays[i][0], arrays[i][1]);
      if (!same) this.whole(arrays[i][0]);
      changed[part++] = same ? 0 : 1;
      this.place++;
    }
    for (let i = 0; i < columns.length; i++) {
      changed[part++] = columns[i].differences(this) > 0 ? 1 : 0;
      this.place += columns[i].length;
    }
    for (let i = 0; i < maps.length; i++) {
      const same = sameEntries(maps[i][0], maps[i][1]);
      if (!same && !counting.has(maps[i][0])) this.whole(maps[i][0]);
      changed[part++] = same ? 0 : 1;
      this.place++;
    }
    for (let i = 0; i < sets.length; i++) {
      const same = sameValues(sets[i][0], sets[i][1]);
      // Threads see the order, too.
      if (!same) this.whole(sets[i][0]);
      changed[part++] = same ? 0 : 1;
      this.place++;
    }
    // Contents may be new themselves.
    for (let i = 0; i < this.fresh.length; i++) this.contents(this.fresh[i]);
    return this.hash.value;
  }

  /** @internal */
  differs(at: number, value: unknown): void {
    this.hash.word(at);
    this.value(value);
  }

  /** Of the column that is looked at. @internal */
  word(at: number, word: number): void {
    this.hash.word(this.place + at);
    this.hash.word(word);
  }

  /** Fields that were not there before, and those that are no longer. */
  private named(object: object, names: readonly string[]): void {
    this.hash.word(this.place);
    for (const [at, name] of names.entries()) if (!(name in object)) this.hash.word(at);
    for (const [name, value] of Object.entries(object)) {
      if (names.includes(name)) continue;
      this.hash.plain(name);
      this.value(value);
    }
  }

  /** All of an array, a map or a set that is no longer what it was. */
  private whole(collection: object): void {
    this.hash.word(this.place);
    this.contents(collection);
  }

  /** @internal */
  value(value: unknown): void {
    if (typeof value === 'number') this.hash.number(value);
    else if (typeof value === 'object' && value !== null) this.hash.object(this.numberOf(value));
    else if (typeof value === 'function')
      this.hash.object(this.nameOf === undefined ? this.numberOfFunction(value) : (this.nameOf(value) ?? -1));
    else this.hash.plain(value);
  }

  /** What it closes over can't be compared: it is equal to itself only. */
  private numberOfFunction(value: object): number {
    let number = this.functions.get(value);
    if (number === undefined) {
      number = this.metFunctions++;
      this.functions.set(value, number);
    }
    return number;
  }

  private numberOf(value: object): number {
    const object = this.nameOf === undefined ? value : untraced(value);
    const known = this.numbers.get(object);
    if (known !== undefined) return known;
    let at = this.fresh.indexOf(object);
    if (at < 0) at = this.fresh.push(object) - 1;
    const name = this.nameOf?.(object) ?? at;
    // Names of what outlives schedules are below 0.
    return name < 0 ? name : this.numbers.size + name;
  }

  /** All of a new object, or of a collection. What it is and how much there is goes first, so that one never goes by what follows another. */
  private contents(object: object): void {
    if (Array.isArray(object)) this.elements(object);
    else if (ArrayBuffer.isView(object)) this.words(object);
    else if (object instanceof Map) this.entries(object);
    else if (object instanceof Set) this.members(object);
    else this.fields(object);
  }

  private elements(array: readonly unknown[]): void {
    this.hash.word(COLLECTIONS.array);
    this.hash.word(array.length);
    for (let i = 0; i < array.length; i++)
      if (array[i] === undefined && !(i in array)) this.hash.hole();
      else this.value(array[i]);
  }

  private words(view: ArrayBufferView): void {
    const { hash } = this;
    const words = wordsOf(view);
    hash.word(COLLECTIONS.view);
    hash.word(words.length);
    for (let i = 0; i < words.length; i++) {
      if (words[i] === 0) continue;
      hash.word(i);
      hash.word(words[i]);
    }
    hash.word(words.length);
  }

  private entries(map: ReadonlyMap<unknown, unknown>): void {
    this.hash.word(COLLECTIONS.map);
    this.hash.word(map.size);
    for (const key of map.keys()) {
      this.value(key);
      this.value(map.get(key));
    }
    this.fields(map);
  }

  private members(set: ReadonlySet<unknown>): void {
    this.hash.word(COLLECTIONS.set);
    this.hash.word(set.size);
    for (const value of set) this.value(value);
    this.fields(set);
  }

  /** All fields of a new object; of a collection, beside what it holds. */
  private fields(object: object): void {
    const { shape, number } = this.shapeOf(object);
    this.hash.word(number);
    shape.each(object, this);
  }

  /** The shape of a new object. Symbols are those of the first object of the class with fields of the same names. */
  private shapeOf(object: object): Met {
    const prototype = Object.getPrototypeOf(object) as object | null;
    let shapes = this.shapes.get(prototype);
    if (shapes === undefined) {
      shapes = [];
      this.shapes.set(prototype, shapes);
    }
    const names = Object.keys(object);
    for (let i = 0; i < shapes.length; i++) if (sameElements(names, shapes[i].names)) return shapes[i];
    const met = { names, shape: shapeOf(object, Reflect.ownKeys(object)), number: this.met++ };
    shapes.push(met);
    return met;
  }
}

function hasAll(object: object, names: readonly string[]): boolean {
  for (let i = 0; i < names.length; i++) if (!(names[i] in object)) return false;
  return true;
}

function sameElements(a: readonly unknown[], b: readonly unknown[]): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i] || (a[i] === undefined && i in a !== i in b)) return false;
  return true;
}

/** In the same order. Going by its keys makes no garbage, as going by its entries does. */
function sameEntries(map: ReadonlyMap<unknown, unknown>, entries: readonly (readonly [unknown, unknown])[]): boolean {
  if (map.size !== entries.length) return false;
  let at = 0;
  for (const key of map.keys()) {
    if (key !== entries[at][0] || map.get(key) !== entries[at][1]) return false;
    at++;
  }
  return true;
}

/** In the same order. */
function sameValues(set: ReadonlySet<unknown>, values: readonly unknown[]): boolean {
  if (set.size !== values.length) return false;
  let at = 0;
  for (const value of set) if (value !== values[at++]) return false;
  return true;
}
