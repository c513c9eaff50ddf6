import { COUNTERS } from '@rmap-lab/core';
import { isIterator } from './hiding.js';
import { NUMBER_FIELDS } from './numbers.js';
import { RACE_FIELDS } from './races.js';
import { TRACING_FIELDS } from './tracing/node.js';

/** Is told what fields hold. An object, as methods that all of a class share are called without a detour; functions of each alone are not. */
export interface Reader {
  /** Field number `at` holds another value than it did. */
  differs(at: number, value: unknown): void;
  value(value: unknown): void;
}

/**
 * What is done to the fields of objects of one class and with the same keys. Compiled, so that it meets objects of one kind only: a
 * loop over the keys would meet all kinds, and take ten times as long. All programs share it, so it is soon worth optimising.
 */
export interface Shape {
  readonly keys: readonly PropertyKey[];
  /** Tells of every field that holds another value, the first one being number `at`; 1 if there is any, though it only counts. */
  readonly compare: (object: object, values: readonly unknown[], at: number, reader: Reader) => 0 | 1;
  /** How many names `for`-`in` goes by: more than there were when fields were added. */
  readonly count: (object: object) => number;
  /** Stores a value in every field. */
  readonly restore: (object: object, values: readonly unknown[]) => void;
  /** Tells what each field holds that is part of the state. */
  readonly each: (object: object, reader: Reader) => void;
}

/** Fields that belong to who looks on. */
export const IGNORED: ReadonlySet<PropertyKey> = new Set([...NUMBER_FIELDS, ...RACE_FIELDS, ...TRACING_FIELDS]);
/** The keys of an object's own fields, hidden ones and symbols included. */
export const keysOf = (object: object): readonly PropertyKey[] => Reflect.ownKeys(object).filter((key) => !IGNORED.has(key));

const NONE: readonly PropertyKey[] = [];

/** Fields of an object that only count. */
export const countersOf = (object: object): readonly PropertyKey[] =>
  (object.constructor as { [COUNTERS]?: readonly PropertyKey[] } | undefined)?.[COUNTERS] ?? NONE;

/** The name of the class of an object, for people. */
export const kindOf = (object: object): string =>
  isIterator(object) ? 'iterator' : ((Object(object.constructor) as { readonly name?: string }).name ?? 'object');

/** By prototype. Of objects without one, null, there are few. */
const shapes = new WeakMap<object, Shape[]>();
const BARE = {};

/** The shape of an object with these fields. */
export function shapeOf(object: object, keys: readonly PropertyKey[]): Shape {
  const prototype = (Object.getPrototypeOf(object) as object | null) ?? BARE;
  let known = shapes.get(prototype);
  if (known === undefined) {
    known = [];
    shapes.set(prototype, known);
  }
  let shape = known.find((one) => one.keys.length === keys.length && one.keys.every((key, i) => key === keys[i]));
  if (shape === undefined) {
    shape = compiled(keys, countersOf(object));
    known.push(shape);
  }
  return shape;
}

function compiled(keys: readonly PropertyKey[], counters: readonly PropertyKey[]): Shape {
  const fields = keys.map((key, i) => (typeof key === 'symbol' ? `o[keys[${i}]]` : `o[${JSON.stringify(key)}]`));
  const counts = (i: number): boolean => counters.includes(keys[i]);
  const compares = fields.map((field, i) => {
    const tells = counts(i) ? '' : `r.differs(at + ${i}, ${field});`;
    return `if (${field} !== x[${i}]) { d = 1; ${tells} }`;
  });
  const restores = fields.map((field, i) => `${field} = x[${i}];`);
  const values = fields.flatMap((field, i) => (counts(i) || IGNORED.has(keys[i]) ? [] : [`r.value(${field});`]));
  const body = `return {
    keys,
    compare: (o, x, at, r) => { let d = 0; ${compares.join('\n')} return d; },
    count: (o) => { let n = 0; for (const key in o) n++; return n; },
    restore: (o, x) => { ${restores.join('\n')} },
    each: (o, r) => { ${values.join('\n')} },
  };`;
  return (new Function('keys', body) as (keys: readonly PropertyKey[]) => Shape)(keys);
}
