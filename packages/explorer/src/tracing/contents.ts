import { COUNTERS, LOCK_WORDS } from '@rmap-lab/core';
import { IGNORED } from '../shape.js';
import type { Traced } from './fields.js';
import { MEMORY } from './node.js';

/** What a traced object holds. */
export function* contentsOf(object: object): Iterable<unknown> {
  if (typeof object === 'function' || ArrayBuffer.isView(object)) return;
  if (object instanceof Map) for (const entry of Map.prototype.entries.call(object)) yield* entry;
  else if (object instanceof Set) yield* Set.prototype.values.call(object);
  for (const key of Reflect.ownKeys(object)) {
    if (IGNORED.has(key)) continue;
    const field = Object.getOwnPropertyDescriptor(object, key) as PropertyDescriptor;
    yield 'value' in field ? field.value : (object as Traced)[MEMORY]?.[key];
  }
}

interface Marks {
  readonly [COUNTERS]?: readonly PropertyKey[];
  readonly [LOCK_WORDS]?: readonly PropertyKey[];
}

/** What the class of an object says of its fields; an object without a prototype has none. */
export const marksOf = (object: object): Marks => Object(object.constructor) as Marks;
