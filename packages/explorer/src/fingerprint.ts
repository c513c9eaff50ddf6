import { Hash } from './hash.js';
import { type Column, countersOf, type Snapshot, wordsOf } from './snapshot.js';
import { untraced } from './tracing/node.js';

type Compare = (
  objects: readonly object[],
  values: readonly unknown[],
  differs: (number: number, value: unknown) => void,
) => void;

/** Words that are compared at once. */
const BLOCK = 512;

/**
 * How the state of what a snapshot holds differs from the snapshot, as a number of 53 bits: equal for equal states, whatever way led
 * there and in whatever order their new objects were made; for different ones by chance only, once in 10^15 pairs.
 */
export class Fingerprint {
  private readonly numbers = new Map<object, number>();
  private readonly comparers: readonly Compare[];
  private readonly bytes: readonly (readonly [now: Buffer, saved: Buffer])[];
  private fresh: Map<object, number> = new Map();
  private readonly hash = new Hash();

  /**
   * @param ignored symbols of fields that are no part of the state, beside those that only count
   * @param nameOf what threads call an object that was not there at first, if that matters
   */
  constructor(
    private readonly snapshot: Snapshot,
    private readonly ignored: ReadonlySet<symbol>,
    private readonly nameOf: (object: object) => number | undefined = () => undefined,
  ) {
    for (const object of snapshot.objects) this.numbers.set(object, this.numbers.size);
    this.bytes = snapshot.columns.map(([now, saved]) => [bytesOf(now), bytesOf(saved)]);
    this.comparers = snapshot.shapes.map(({ keys, objects }) => comparer(keys, countersOf(objects[0])));
  }

  /** The fingerprint of the state as it is now. */
  take(): number {
    const { shapes, arrays, columns, maps, sets, counting } = this.snapshot;
    this.fresh = new Map();
    this.hash.restart();
    let place = 0;
    const differs = (at: number, value: unknown): void => {
      this.hash.word(place + at);
      this.value(value);
    };
    for (let i = 0; i < shapes.length; i++) {
      this.comparers[i](shapes[i].objects, shapes[i].values, differs);
      place += shapes[i].values.length;
    }
    for (const [array, values] of arrays) {
      if (array.length !== values.length) differs(-1, array.length);
      for (let i = 0; i < array.length; i++) if (array[i] !== values[i]) differs(i, array[i]);
      place += values.length + 1;
    }
    for (let i = 0; i < columns.length; i++) {
      this.words(place, columns[i], this.bytes[i]);
      place += columns[i][0].length;
    }
    for (const [map, entries] of maps) {
      if (!counting.has(map) && (map.size !== entries.length || !sameEntries(map, entries))) this.collection(place, map);
      place++;
    }
    for (const [set, values] of sets) {
      if (set.size !== values.length || values.some((value) => !set.has(value))) this.collection(place, set);
      place++;
    }
    // A map goes on to what is added while it is iterated.
    for (const object of this.fresh.keys()) this.contents(object);
    return this.hash.value;
  }

  /** Memory that is the same nearly everywhere: a native look at a block of it is far cheaper than one at each word. */
  private words(place: number, [now, saved]: Column, [bytes, before]: readonly [Buffer, Buffer]): void {
    for (let from = 0; from < now.length; from += BLOCK) {
      const to = Math.min(from + BLOCK, now.length);
      if (to - from === BLOCK && bytes.compare(before, from * 4, to * 4, from * 4, to * 4) === 0) continue;
      for (let i = from; i < to; i++) {
        if (now[i] === saved[i]) continue;
        this.hash.word(place + i);
        this.hash.word(now[i]);
      }
    }
  }

  /** All of a map or a set that is no longer what it was. */
  private collection(place: number, collection: object): void {
    this.hash.word(place);
    this.contents(collection);
  }

  private value(value: unknown): void {
    if (typeof value === 'object' && value !== null) this.hash.number(this.numberOf(untraced(value)));
    else if (typeof value === 'function') this.hash.number(this.nameOf(value) ?? -1);
    else this.hash.plain(value);
  }

  private numberOf(object: object): number {
    const known = this.numbers.get(object) ?? this.fresh.get(object);
    if (known !== undefined) return known;
    const number = this.nameOf(object) ?? this.numbers.size + this.fresh.size;
    this.fresh.set(object, number);
    return number;
  }

  /** All of a new object. */
  private contents(object: object): void {
    if (ArrayBuffer.isView(object)) {
      const words = wordsOf(object);
      for (let i = 0; i < words.length; i++) if (words[i] !== 0) this.hash.word(words[i] ^ i);
    } else if (Array.isArray(object)) for (const value of object) this.value(value);
    else if (object instanceof Map)
      for (const [key, value] of object as Map<unknown, unknown>) {
        this.value(key);
        this.value(value);
      }
    else if (object instanceof Set) for (const value of object as Set<unknown>) this.value(value);
    else {
      const counters = countersOf(object);
      for (const key of Reflect.ownKeys(object))
        if (!(typeof key === 'symbol' && this.ignored.has(key)) && !counters.includes(key))
          this.value((object as Record<PropertyKey, unknown>)[key]);
    }
    this.hash.word(13);
  }
}

const bytesOf = ({ buffer, byteOffset, byteLength }: Int32Array): Buffer => Buffer.from(buffer, byteOffset, byteLength);

/** Tells which fields of objects of one shape are no longer what they were, by number. */
function comparer(keys: readonly PropertyKey[], counters: readonly PropertyKey[]): Compare {
  const looks = keys.map((key, i) => {
    if (counters.includes(key)) return 'at++;';
    const field = `o[${typeof key === 'symbol' ? `keys[${i}]` : JSON.stringify(key)}]`;
    return `if (${field} !== values[at]) differs(at, ${field}); at++;`;
  });
  const body = `return (objects, values, differs) => { let at = 0; for (const o of objects) { ${looks.join(' ')} } };`;
  return (new Function('keys', body) as (keys: readonly PropertyKey[]) => Compare)(keys);
}

function sameEntries(map: ReadonlyMap<unknown, unknown>, entries: readonly (readonly [unknown, unknown])[]): boolean {
  let at = 0;
  for (const [key, value] of map) {
    if (key !== entries[at][0] || value !== entries[at][1]) return false;
    at++;
  }
  return true;
}
