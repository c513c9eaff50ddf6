import { PAGE_SIZE } from '@rmap-lab/core';
import { Malformed } from './malformed.js';

/** Addresses and lengths are below this: 47 bits. */
const ADDRESSES = 2 ** 47;
/** Page numbers are below this. */
export const PAGES = ADDRESSES / PAGE_SIZE;
/** Processes and files are numbered from 0 to below this. */
const IDS = 2 ** 31;
/** Longest name or source, in UTF-16 code units. */
const LONGEST_TEXT = 4096;

/** What stands in a field, short enough for a message. */
function shown(value: unknown): string {
  const text = value === undefined ? 'nothing' : JSON.stringify(value);
  return text.length > 40 ? `${text.slice(0, 40)}...` : text;
}

/** Says what was expected of a field and what was found. */
export function bad(what: string, expected: string, found: unknown): Malformed {
  return new Malformed(`${what} must be ${expected}, not ${shown(found)}`);
}

/** A whole number from `least` up to `most`. @throws Malformed */
export function integer(value: unknown, what: string, least: number, most: number): number {
  if (Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= most && !Object.is(value, -0)) {
    return value as number;
  }
  throw bad(what, `a whole number from ${least} to ${most}`, value);
}

/** The number of a process or a file. @throws Malformed */
export const id = (value: unknown, what: string): number => integer(value, what, 0, IDS - 1);

/** A byte address or a length. @throws Malformed */
export const bytes = (value: unknown, what: string): number => integer(value, what, 0, ADDRESSES - 1);

/** A byte address or a length of whole pages. @throws Malformed */
export function wholePages(value: unknown, what: string): number {
  if (bytes(value, what) % PAGE_SIZE !== 0) throw bad(what, `a multiple of ${PAGE_SIZE}`, value);
  return value as number;
}

/** Protection, flags, advice. @throws Malformed */
export const bits = (value: unknown, what: string): number => integer(value, what, 0, 2 ** 32 - 1);

/** An offset in a file or a file's size, in bytes. @throws Malformed */
export const fileBytes = (value: unknown, what: string): number => integer(value, what, 0, Number.MAX_SAFE_INTEGER);

/** `field`, or null. @throws Malformed */
export const orNull = (value: unknown, what: string, field: (value: unknown, what: string) => number): number | null =>
  value === null ? null : field(value, what);

/** A string, neither empty nor very long. @throws Malformed */
export function text(value: unknown, what: string): string {
  if (typeof value !== 'string' || value === '' || value.length > LONGEST_TEXT) {
    throw bad(what, `a string of 1 to ${LONGEST_TEXT} characters`, value);
  }
  return value;
}

/** One of the keys of `known`. @throws Malformed */
export function oneOf<K extends string>(value: unknown, what: string, known: Readonly<Record<K, unknown>>): K {
  if (typeof value === 'string' && Object.hasOwn(known, value)) return value as K;
  throw bad(what, `one of ${Object.keys(known).join(', ')}`, value);
}

/** An object that is no array. @throws Malformed */
export function object(value: unknown, what: string): Readonly<Record<string, unknown>> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw bad(what, 'an object', value);
}

/** An array of `length` elements. @throws Malformed */
export function tuple(value: unknown, what: string, length: number): readonly unknown[] {
  if (!Array.isArray(value)) throw bad(what, 'an array', value);
  if (value.length !== length) throw new Malformed(`${what} must have ${length} fields, not ${value.length}`);
  return value;
}
