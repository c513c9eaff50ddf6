import { COUNTERS } from '@rmap-lab/core';
import { Column, wordsOf } from './column.js';
import { keyed, straightLine } from './straight-line.js';
import { Node, untraced } from './tracing/node.js';
import { Tracing } from './tracing/tracing.js';

/** One object, and those of its fields that can change. */
interface Fields {
  readonly object: object;
  readonly keys: readonly PropertyKey[];
  readonly values: readonly unknown[];
}

/**
 * Everything that can be reached from some objects by fields, elements, keys and values, as it is now; `restore` puts it back in
 * place. What functions close over is not reached, nor are `#private` fields.
 */
export class Snapshot {
  readonly objects: ReadonlySet<object>;
  readonly fields: Fields[] = [];
  readonly arrays: [now: unknown[], saved: readonly unknown[]][] = [];
  readonly columns: Column[] = [];
  readonly maps: [now: Map<unknown, unknown>, saved: readonly (readonly [unknown, unknown])[]][] = [];
  readonly sets: [now: Set<unknown>, saved: readonly unknown[]][] = [];
  /** What fields hold that only count. */
  readonly counting = new Set<unknown>();
  private readonly restoreFields: () => void;

  constructor(roots: readonly object[]) {
    const seen = new Set<object>(roots);
    const visit = (value: unknown): void => {
      if (typeof value !== 'object' || value === null) return;
      // Who looks on goes on knowing what it knows.
      if (!(value instanceof Node || value instanceof Tracing)) seen.add(untraced(value));
    };
    // A set goes on to what is added while it is iterated.
    for (const object of seen) this.add(object, visit);
    this.objects = seen;
    this.restoreFields = restorer(this.fields);
  }

  /** Puts everything back as it was. */
  restore(): void {
    this.restoreFields();
    for (let i = 0; i < this.arrays.length; i++) restoreArray(this.arrays[i][0], this.arrays[i][1]);
    for (let i = 0; i < this.columns.length; i++) this.columns[i].restore();
    for (let i = 0; i < this.maps.length; i++) restoreMap(this.maps[i][0], this.maps[i][1]);
    for (let i = 0; i < this.sets.length; i++) restoreSet(this.sets[i][0], this.sets[i][1]);
  }

  private add(object: object, visit: (value: unknown) => void): void {
    if (ArrayBuffer.isView(object)) this.columns.push(new Column(wordsOf(object)));
    else if (Array.isArray(object)) {
      for (const value of object) visit(value);
      if (!Object.isFrozen(object)) this.arrays.push([object, [...(object as unknown[])]]);
    } else if (object instanceof Map) {
      const entries = [...(object as Map<unknown, unknown>)];
      for (const [key, value] of entries) {
        visit(key);
        visit(value);
      }
      this.maps.push([object, entries]);
    } else if (object instanceof Set) {
      const values = [...(object as Set<unknown>)];
      for (const value of values) visit(value);
      this.sets.push([object, values]);
    } else this.addPlain(object, visit);
  }

  private addPlain(object: object, visit: (value: unknown) => void): void {
    const fields = Reflect.ownKeys(object).map(
      (key) => [key, Object.getOwnPropertyDescriptor(object, key) as PropertyDescriptor] as const,
    );
    for (const [key, { value }] of fields) {
      visit(value);
      if (countersOf(object).includes(key)) this.counting.add(value);
    }
    const kept = fields.filter(([, { writable }]) => writable === true);
    if (kept.length === 0) return;
    this.fields.push({ object, keys: kept.map(([key]) => key), values: kept.map(([, { value }]) => value as unknown) });
  }
}

const NONE: readonly PropertyKey[] = [];

/** Fields of an object that only count. */
export const countersOf = (object: object): readonly PropertyKey[] =>
  (object.constructor as { [COUNTERS]?: readonly PropertyKey[] } | undefined)?.[COUNTERS] ?? NONE;

/** Puts fields back. */
function restorer(fields: readonly Fields[]): () => void {
  const symbols: symbol[] = [];
  const statements = fields.map(({ keys }, i) => {
    const stores = keys.map((key, k) => `o${keyed(key, symbols)} = x[${k}];`);
    return `o = fields[${i}].object; x = fields[${i}].values; ${stores.join(' ')}`;
  });
  return straightLine(statements, { fields, symbols });
}

function restoreArray(array: unknown[], values: readonly unknown[]): void {
  if (array.length !== values.length) array.length = values.length;
  for (let i = 0; i < values.length; i++) array[i] = values[i];
}

function restoreMap(map: Map<unknown, unknown>, entries: readonly (readonly [unknown, unknown])[]): void {
  if (map.size === 0 && entries.length === 0) return;
  let same = 0;
  // Going by its keys makes no garbage, as going by its entries does.
  for (const key of map.keys()) {
    if (same === entries.length) map.delete(key);
    else if (key === entries[same][0]) {
      if (map.get(key) !== entries[same][1]) map.set(key, entries[same][1]);
      same++;
    } else break;
  }
  // Where nothing came between them or went, they are in their order.
  if (map.size === entries.length && same === entries.length) return;
  map.clear();
  for (const [key, value] of entries) map.set(key, value);
}

function restoreSet(set: Set<unknown>, values: readonly unknown[]): void {
  if (set.size === 0 && values.length === 0) return;
  set.clear();
  for (const value of values) set.add(value);
}
