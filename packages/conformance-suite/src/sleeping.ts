import type { RmapStrategy, Step } from '@rmap-lab/core';

/** Tells of a step whether it would sleep, and what for, in words; null: it would not. Spinning locks and page-table locks only spin. */
export function sleepOf({ locks }: RmapStrategy): (step: Step) => string | null {
  const sleeping = new Set(locks.filter(({ kind }) => kind === 'rwsem').map(({ name }) => name));
  return ({ kind, label }) => {
    if (kind === 'alloc') return `waits for memory of ${label}`;
    if (kind === 'rcu') return 'waits for a grace period';
    return kind === 'wait' || (kind === 'lock' && sleeping.has(label)) ? `waits for ${label}` : null;
  };
}
