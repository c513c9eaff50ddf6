import { InputError } from '@rmap-lab/core';
import { Column, wordsOf } from './column.js';
import { hiddenIn } from './hiding.js';
import { countersOf, IGNORED, kindOf, type Shape, shapeOf } from './shape.js';
import { Node, untraced } from './tracing/node.js';
import { Tracing } from './tracing/tracing.js';

/** One object, and those of its fields that can change. */
interface Fields {
  readonly object: object;
  readonly shape: Shape;
  readonly values: readonly unknown[];
  /** What `for`-`in` goes by. */
  readonly names: readonly string[];
  /** Whether named fields may be added, which are then taken away: an instance of a class has those that its class gives it. */
  readonly open: boolean;
}

/** Any object that may get fields, and those that it had. */
interface Open {
  readonly object: object;
  readonly keys: ReadonlySet<PropertyKey>;
}

/** A world that can't be put back as it was. */
export class Unrestorable extends InputError {
  override readonly name = 'Unrestorable';
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
  private readonly extensible: Open[] = [];
  /** What fields hold that only count. */
  readonly counting = new Set<unknown>();
  /** Of objects with fields, arrays, columns, maps and sets, one behind the other: 1 for what was not what it was when last looked at. */
  readonly changed: Uint8Array;
  private restored = 0;

  constructor(roots: readonly object[]) {
    const seen = new Set<object>(roots);
    const visit = (value: unknown): void => {
      if (typeof value === 'function') refuseHiding(value);
      if (typeof value !== 'object' || value === null) return;
      // Who looks on goes on knowing what it knows.
      if (!(value instanceof Node || value instanceof Tracing)) seen.add(untraced(value));
    };
    // A set goes on to what is added while it is iterated.
    for (const object of seen) this.add(object, visit);
    this.objects = seen;
    const { fields, arrays, columns, maps, sets } = this;
    this.changed = new Uint8Array(fields.length + arrays.length + columns.length + maps.length + sets.length);
  }

  /** Puts everything back as it was. @param looked all that was changed is marked in `changed`: the rest need not be touched */
  restore(looked = false): void {
    const { fields, arrays, columns, maps, sets, changed } = this;
    if ((this.restored & (this.restored + 1)) === 0) this.nothingAdded();
    this.restored++;
    if (!looked) changed.fill(1);
    for (let i = 0; i < fields.length; i++) if (changed[i] !== 0) restoreFields(fields[i]);
    let at = fields.length;
    for (let i = 0; i < arrays.length; i++) if (changed[at++] !== 0) restoreArray(arrays[i][0], arrays[i][1]);
    for (let i = 0; i < columns.length; i++) if (changed[at++] !== 0) columns[i].restore(looked);
    for (let i = 0; i < maps.length; i++) if (changed[at++] !== 0) restoreMap(maps[i][0], maps[i][1]);
    for (let i = 0; i < sets.length; i++) if (changed[at++] !== 0) restoreSet(sets[i][0], sets[i][1]);
  }

  private add(object: object, visit: (value: unknown) => void): void {
    refuseHiding(object);
    if (ArrayBuffer.isView(object)) this.columns.push(new Column(wordsOf(object)));
    else if (Array.isArray(object)) {
      for (const value of object) visit(value);
      if (!Object.isFrozen(object)) this.arrays.push([object, copyOf(object)]);
      this.addFields(object, visit, true);
    } else if (object instanceof Map) {
      const entries = [...(object as Map<unknown, unknown>)];
      for (const [key, value] of entries) {
        visit(key);
        visit(value);
      }
      this.maps.push([object, entries]);
      this.addFields(object, visit, true);
    } else if (object instanceof Set) {
      const values = [...(object as Set<unknown>)];
      for (const value of values) visit(value);
      this.sets.push([object, values]);
      this.addFields(object, visit, true);
    } else this.addFields(object, visit, false);
  }

  /**
   * Looks for fields that were added and are not taken away. That takes too long to be done each time; but then they are still there
   * when it is done the next time, or at the end of a search. @throws Unrestorable
   */
  nothingAdded(): void {
    for (const { object, keys } of this.extensible) {
      const added = keysIn(object).find(
        (key) => !keys.has(key) && !IGNORED.has(key) && !(isLiteral(object) && isNamed(object, key)),
      );
      if (added !== undefined)
        throw new Unrestorable(
          `a thread added the field '${String(added)}' to a shared ${kindOf(object)}, which would still be there in the next schedule: give it that field from the start, or use a map`,
        );
    }
  }

  /** @param collection it has fields beside what it holds, if any */
  private addFields(object: object, visit: (value: unknown) => void, collection: boolean): void {
    const keys = keysIn(object);
    if (Object.isExtensible(object)) this.extensible.push({ object, keys: new Set(keys) });
    const fields = keys.map((key) => [key, Object.getOwnPropertyDescriptor(object, key) as PropertyDescriptor] as const);
    for (const [key, { value }] of fields) {
      visit(value);
      if (countersOf(object).includes(key)) this.counting.add(value);
    }
    const kept = fields.filter(([, { writable }]) => writable === true);
    if (kept.length === 0 && (collection || !Object.isExtensible(object))) return;
    const shape = shapeOf(
      object,
      kept.map(([key]) => key),
    );
    this.fields.push({
      object,
      shape,
      values: kept.map(([, { value }]) => value as unknown),
      names: namesIn(object),
      open: isLiteral(object),
    });
  }
}

/** @throws Unrestorable */
function refuseHiding(object: object): void {
  const hidden = hiddenIn(object);
  if (hidden === null) return;
  const { what, advice } = hidden;
  throw new Unrestorable(
    `${what} a shared ${kindOf(object)} can't be put back for the next schedule: ${advice}, or let a strategy say state: 'free'`,
  );
}

/** The keys of fields; elements of an array are none. */
const keysIn = (object: object): readonly PropertyKey[] => {
  const keys = Reflect.ownKeys(object);
  if (!Array.isArray(object)) return keys;
  return keys.filter((key) => key !== 'length' && (typeof key === 'symbol' || Number.isNaN(Number(key))));
};

/** Whether a field is one that `for`-`in` goes by. */
const isNamed = (object: object, key: PropertyKey): boolean =>
  typeof key === 'string' && Object.prototype.propertyIsEnumerable.call(object, key);

const isLiteral = (object: object): boolean => {
  const prototype = Object.getPrototypeOf(object) as object | null;
  return prototype === Object.prototype || prototype === null;
};

/** Own and inherited. */
function namesIn(object: object): readonly string[] {
  const names: string[] = [];
  for (const name in object) names.push(name);
  return names;
}

function restoreFields({ object, shape, values, names, open }: Fields): void {
  const before = open ? shape.count(object) : names.length;
  shape.restore(object, values);
  if (!open || (before === names.length && shape.count(object) === names.length)) return;
  // What was deleted is behind all others now: they are made anew, in their order.
  for (const name of Object.keys(object))
    if (shape.keys.includes(name) || !names.includes(name)) Reflect.deleteProperty(object, name);
  shape.restore(object, values);
}

/** With its holes, which `forEach` and `in` tell from what is undefined. */
function copyOf(array: readonly unknown[]): unknown[] {
  const copy = [...array];
  for (let i = 0; i < copy.length; i++) if (!(i in array)) delete copy[i];
  return copy;
}

function restoreArray(array: unknown[], values: readonly unknown[]): void {
  // A few calls that are inlined cost less than the one that sets a length.
  while (array.length > values.length) array.pop();
  for (let i = 0; i < values.length; i++)
    if (values[i] !== undefined || i in values) array[i] = values[i];
    else delete array[i];
  if (array.length < values.length) array.length = values.length;
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
