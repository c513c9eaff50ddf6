/** What every iterator and generator inherits. */
const iterators = Object.getPrototypeOf(Object.getPrototypeOf(new Map().keys()) as object) as object;

/** Whether an object goes through something, in its own hidden place. */
export const isIterator = (object: object): boolean => Object.prototype.isPrototypeOf.call(iterators, object);

/** Hold what is neither a field nor an element, nor can be gone through. */
const KINDS = [ArrayBuffer, SharedArrayBuffer, WeakMap, WeakSet, WeakRef, Date, Promise];

/** What of an object is part of no snapshot, as words before `a shared ..`, and what to do about it; null: nothing that is known. */
export function hiddenIn(object: object): { readonly what: string; readonly advice: string } | null {
  if (typeof object === 'function')
    return Object.keys(object).length === 0 ? null : { what: 'the fields of', advice: 'let an object have them' };
  if (isIterator(object)) return { what: 'the place of', advice: 'let an object have it as a number' };
  if (KINDS.some((kind) => object instanceof kind))
    return { what: 'what is stored in', advice: 'use a typed array, a map, a set or a number' };
  return null;
}
