import { wordsOf } from './column.js';
import { Hash } from './hash.js';
import { countersOf, type Snapshot } from './snapshot.js';
import { keyed, straightLine } from './straight-line.js';
import { untraced } from './tracing/node.js';

/** Takes in what fields of an object hold; objects of one shape have the same fields. */
interface Shape {
  readonly names: readonly string[];
  readonly takeIn: (object: object) => void;
}

/**
 * How the state of what a snapshot holds differs from the snapshot, as a number of 53 bits: equal for equal states, whatever way led
 * there and in whatever order their new objects were made; for different ones by chance only, once in 10^15 pairs.
 */
export class Fingerprint {
  private readonly numbers = new Map<object, number>();
  private readonly compareFields: () => void;
  /** New objects: few. */
  private readonly fresh: object[] = [];
  /** Shapes of new objects by prototype. */
  private readonly shapes = new Map<object | null, Shape[]>();
  private readonly hash = new Hash();
  private readonly fields: number;
  /** Where what is compared next begins in the order of all. */
  private place = 0;

  /**
   * @param ignored symbols of fields that are no part of the state, beside those that only count
   * @param nameOf what threads call an object that was not there at first, if that matters
   */
  constructor(
    private readonly snapshot: Snapshot,
    private readonly ignored: ReadonlySet<symbol>,
    private readonly nameOf: ((object: object) => number | undefined) | undefined,
  ) {
    for (const object of snapshot.objects) this.numbers.set(object, this.numbers.size);
    this.fields = snapshot.fields.reduce((sum, { keys }) => sum + keys.length, 0);
    this.compareFields = comparer(snapshot, this.differs);
  }

  /** The fingerprint of the state as it is now. */
  take(): number {
    const { arrays, columns, maps, sets, counting } = this.snapshot;
    this.fresh.length = 0;
    this.hash.restart();
    this.place = 0;
    this.compareFields();
    this.place = this.fields;
    for (let i = 0; i < arrays.length; i++) {
      if (!sameElements(arrays[i][0], arrays[i][1])) this.whole(arrays[i][0]);
      this.place++;
    }
    for (let i = 0; i < columns.length; i++) {
      columns[i].differences(this.word);
      this.place += columns[i].length;
    }
    for (const [map, entries] of maps) {
      if ((map.size !== entries.length || !sameEntries(map, entries)) && !counting.has(map)) this.whole(map);
      this.place++;
    }
    for (const [set, values] of sets) {
      if (set.size !== values.length || values.some((value) => !set.has(value))) this.whole(set);
      this.place++;
    }
    // Contents may be new themselves.
    for (let i = 0; i < this.fresh.length; i++) this.contents(this.fresh[i]);
    return this.hash.value;
  }

  private readonly differs = (at: number, value: unknown): void => {
    this.hash.word(this.place + at);
    this.value(value);
  };

  private readonly word = (at: number, word: number): void => {
    this.hash.word(this.place + at);
    this.hash.word(word);
  };

  /** All of an array, a map or a set that is no longer what it was. */
  private whole(collection: object): void {
    this.hash.word(this.place);
    this.contents(collection);
  }

  private readonly value = (value: unknown): void => {
    if (typeof value === 'number') this.hash.number(value);
    else if (typeof value === 'object' && value !== null) this.hash.number(this.numberOf(value));
    else if (typeof value === 'function') this.hash.number(this.nameOf?.(value) ?? -1);
    else this.hash.plain(value);
  };

  private numberOf(value: object): number {
    const object = this.nameOf === undefined ? value : untraced(value);
    const known = this.numbers.get(object);
    if (known !== undefined) return known;
    let at = this.fresh.indexOf(object);
    if (at < 0) at = this.fresh.push(object) - 1;
    return this.nameOf?.(object) ?? this.numbers.size + at;
  }

  /** All of a new object, or of a collection. */
  private contents(object: object): void {
    if (ArrayBuffer.isView(object)) {
      const words = wordsOf(object);
      for (let i = 0; i < words.length; i++) if (words[i] !== 0) this.hash.word(words[i] ^ i);
    } else if (Array.isArray(object)) for (let i = 0; i < object.length; i++) this.value(object[i]);
    else if (object instanceof Map)
      for (const [key, value] of object as Map<unknown, unknown>) {
        this.value(key);
        this.value(value);
      }
    else if (object instanceof Set) for (const value of object as Set<unknown>) this.value(value);
    else this.shapeOf(object).takeIn(object);
    this.hash.word(13);
  }

  /** The shape of an object. Symbols are those of the first object of the class with fields of the same names. */
  private shapeOf(object: object): Shape {
    const prototype = Object.getPrototypeOf(object) as object | null;
    let shapes = this.shapes.get(prototype);
    if (shapes === undefined) {
      shapes = [];
      this.shapes.set(prototype, shapes);
    }
    const names = Object.keys(object);
    for (let i = 0; i < shapes.length; i++) if (sameElements(names, shapes[i].names)) return shapes[i];
    const shape = { names, takeIn: this.takerIn(object) };
    shapes.push(shape);
    return shape;
  }

  private takerIn(object: object): (object: object) => void {
    const counters = countersOf(object);
    const state = Reflect.ownKeys(object).filter(
      (key) => !(typeof key === 'symbol' && this.ignored.has(key)) && !counters.includes(key),
    );
    const symbols: symbol[] = [];
    const looks = state.map((key) => `value(o${keyed(key, symbols)});`);
    const body = `return (o) => { ${looks.join(' ')} };`;
    const make = new Function('value', 'symbols', body) as (...scope: readonly unknown[]) => (object: object) => void;
    return make(this.value, symbols);
  }
}

/** Calls `differs` for every field that is no longer what it was, by number. */
function comparer({ fields }: Snapshot, differs: (at: number, value: unknown) => void): () => void {
  const symbols: symbol[] = [];
  let at = 0;
  const statements = fields.map(({ object, keys }, i) => {
    const counters = countersOf(object);
    const looks = keys.map((key, k) => {
      const place = at++;
      if (counters.includes(key)) return '';
      const field = `o${keyed(key, symbols)}`;
      return `if (${field} !== x[${k}]) differs(${place}, ${field});`;
    });
    return `o = fields[${i}].object; x = fields[${i}].values; ${looks.join(' ')}`;
  });
  return straightLine(statements, { fields, symbols, differs });
}

function sameElements(a: readonly unknown[], b: readonly unknown[]): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** Of a map with as many entries. Going by its keys makes no garbage, as going by its entries does. */
function sameEntries(map: ReadonlyMap<unknown, unknown>, entries: readonly (readonly [unknown, unknown])[]): boolean {
  let at = 0;
  for (const key of map.keys()) {
    if (key !== entries[at][0] || map.get(key) !== entries[at][1]) return false;
    at++;
  }
  return true;
}
