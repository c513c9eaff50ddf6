import type { Step } from '@rmap-lab/core';

/** How a step touches one shared object; with the object's number it makes an access, `object * 8 + mode`. */
export const LOAD = 0;
export const STORE = 1;
export const READ_LOCK = 2;
export const WRITE_LOCK = 3;
export const READ_UNLOCK = 4;
export const WRITE_UNLOCK = 5;
export const TRY_READ = 6;
/** A failed attempt changes nothing: it is a load of the lock's state. */
const TRY_FAILED = 7;

const bits = (...modes: number[]): number => modes.reduce((mask, mode) => mask | (1 << mode), 0);
const ALL = 0xff;
const READERS = bits(READ_LOCK, READ_UNLOCK, TRY_READ);
const LOOKS = bits(LOAD, TRY_FAILED);
const LOCKS = bits(READ_LOCK, WRITE_LOCK);

/** By mode of the later access: the earlier modes whose order with it doesn't matter. Who can lock for writing was kept out by no failed attempt. */
const COMMUTES = [LOOKS, 0, READERS, bits(TRY_FAILED), READERS, 0, READERS, LOOKS];

/** Whether the order of two accesses of one object matters. */
export const conflict = (earlier: number, later: number): boolean => (COMMUTES[later] & (1 << earlier)) === 0;

/** By mode of the later access: the earlier ones that could have come second. Nobody can lock before the unlock that lets him. */
const REVERSIBLE = COMMUTES.map((commutes, mode) =>
  (LOCKS & (1 << mode)) === 0 ? ALL & ~commutes : ALL & ~commutes & ~bits(READ_UNLOCK, WRITE_UNLOCK),
);

/** Whether `later` could also have come before `earlier`, with another outcome. */
export const reversible = (earlier: number, later: number): boolean => (REVERSIBLE[later] & (1 << earlier)) !== 0;

/** Whether an access is a reader's, who keeps writers out. */
export const isReader = (mode: number): boolean => mode === READ_LOCK || mode === TRY_READ;
/** Whether an access is an attempt that failed: what kept it out may have kept others out, too. */
export const isFailed = (mode: number): boolean => mode === TRY_FAILED;

/** Modes that conflict with all others: what lies before one needs no second look. */
export const DOMINATES = bits(STORE, WRITE_LOCK);

/** The mode of an announced step, as things stand. */
export function modeOf(step: Step): number {
  const { kind, shared } = step;
  switch (kind) {
    case 'load':
    case 'wait':
      return LOAD;
    case 'lock':
      return shared ? READ_LOCK : WRITE_LOCK;
    case 'unlock':
      return shared ? READ_UNLOCK : WRITE_UNLOCK;
    case 'try':
      if (step.fails?.()) return TRY_FAILED;
      return shared ? TRY_READ : STORE;
    default:
      return STORE;
  }
}

/** Whether the order of two steps matters, each given as the accesses it makes. */
export function dependent(a: readonly number[], b: readonly number[]): boolean {
  for (const x of a)
    for (const y of b) if (x >>> 3 === y >>> 3 && (conflict(x & 7, y & 7) || conflict(y & 7, x & 7))) return true;
  return false;
}
