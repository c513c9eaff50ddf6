import { COUNTERS } from '@rmap-lab/core';
import { Node, untraced } from './tracing/node.js';
import { Tracing } from './tracing/tracing.js';

type Restore = (objects: readonly object[], values: readonly unknown[]) => void;

/** Objects with the same fields, and the values of all of them one after another. */
interface Shape {
  readonly restore: Restore;
  readonly keys: readonly PropertyKey[];
  readonly objects: object[];
  readonly values: unknown[];
}

/** The memory of a typed array, as words, and what it held. */
export type Column = readonly [now: Int32Array, saved: Int32Array];

/**
 * Everything that can be reached from some objects by fields, elements, keys and values, as it is now; `restore` puts it back in
 * place. What functions close over is not reached, nor are `#private` fields.
 */
export class Snapshot {
  readonly objects: ReadonlySet<object>;
  readonly shapes: Shape[] = [];
  readonly arrays: [now: unknown[], saved: unknown[]][] = [];
  readonly columns: Column[] = [];
  readonly maps: [now: Map<unknown, unknown>, saved: readonly (readonly [unknown, unknown])[]][] = [];
  readonly sets: [now: Set<unknown>, saved: readonly unknown[]][] = [];
  /** What fields hold that only count. */
  readonly counting = new Set<unknown>();
  private readonly byPrototype = new Map<object | null, Map<string, Shape>>();

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
  }

  /** Puts everything back as it was. */
  restore(): void {
    for (const { restore, objects, values } of this.shapes) restore(objects, values);
    for (const [array, values] of this.arrays) {
      array.length = values.length;
      for (let i = 0; i < values.length; i++) array[i] = values[i];
    }
    for (const [column, values] of this.columns) column.set(values);
    for (const [map, entries] of this.maps) restoreMap(map, entries);
    for (const [set, values] of this.sets) restoreSet(set, values);
  }

  private add(object: object, visit: (value: unknown) => void): void {
    if (ArrayBuffer.isView(object)) {
      const column = wordsOf(object);
      this.columns.push([column, column.slice()]);
    } else if (Array.isArray(object)) {
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
    const fields = Object.entries(Object.getOwnPropertyDescriptors(object) as Record<PropertyKey, PropertyDescriptor>);
    const symbols = Object.getOwnPropertySymbols(object).map(
      (key) => [key, Object.getOwnPropertyDescriptor(object, key) as PropertyDescriptor] as const,
    );
    const kept = [...fields, ...symbols].filter(([, { writable }]) => writable === true);
    for (const [, { value }] of [...fields, ...symbols]) visit(value);
    for (const [key, { value }] of fields) if (countersOf(object).includes(key)) this.counting.add(value);
    if (kept.length === 0) return;
    const shape = this.shapeOf(
      Object.getPrototypeOf(object) as object | null,
      kept.map(([key]) => key),
    );
    shape.objects.push(object);
    shape.values.push(...kept.map(([, { value }]) => value as unknown));
  }

  private shapeOf(prototype: object | null, keys: readonly PropertyKey[]): Shape {
    const byKeys = this.byPrototype.get(prototype) ?? new Map<string, Shape>();
    this.byPrototype.set(prototype, byKeys);
    const name = keys.map(String).join();
    let shape = byKeys.get(name);
    if (shape === undefined) {
      shape = { keys, objects: [], values: [], restore: restorer(keys) };
      byKeys.set(name, shape);
      this.shapes.push(shape);
    }
    return shape;
  }
}

const NONE: readonly PropertyKey[] = [];

/** Fields of an object that only count. */
export const countersOf = (object: object): readonly PropertyKey[] =>
  (object.constructor as { [COUNTERS]?: readonly PropertyKey[] } | undefined)?.[COUNTERS] ?? NONE;

/** The memory of a typed array as words. @throws RangeError when it is no whole number of them */
export const wordsOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView): Int32Array =>
  new Int32Array(buffer, byteOffset, byteLength / 4);

/** Puts the fields `keys` of objects of one shape back. Compiled, so that each store knows its field: a loop over keys takes ten times as long. */
function restorer(keys: readonly PropertyKey[]): Restore {
  const stores = keys.map((key, i) => `o[${typeof key === 'symbol' ? `keys[${i}]` : JSON.stringify(key)}] = values[at++];`);
  const body = `return (objects, values) => { let at = 0; for (const o of objects) { ${stores.join(' ')} } };`;
  return (new Function('keys', body) as (keys: readonly PropertyKey[]) => Restore)(keys);
}

function restoreMap(map: Map<unknown, unknown>, entries: readonly (readonly [unknown, unknown])[]): void {
  if (map.size === entries.length) {
    if (map.size === 0) return;
    let at = 0;
    let same = true;
    for (const [key, value] of map) {
      const [savedKey, savedValue] = entries[at++];
      if (key === savedKey && value === savedValue) continue;
      same = false;
      break;
    }
    if (same) return;
  }
  map.clear();
  for (const [key, value] of entries) map.set(key, value);
}

function restoreSet(set: Set<unknown>, values: readonly unknown[]): void {
  if (set.size === 0 && values.length === 0) return;
  set.clear();
  for (const value of values) set.add(value);
}
