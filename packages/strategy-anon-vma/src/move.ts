import type { Op, PageTableMove } from '@rmap-lab/core';
import type { State } from './state.js';

/**
 * Moves entries, keeping walks out where they could look at the new place before an entry arrives and at the old one after
 * it left: a walk visits in order of offset, and among equals in order of linking (copy_vma, should_take_rmap_locks).
 */
export function* move(state: State, moving: PageTableMove): Op<void> {
  const { anonVma } = state.vmas.of(moving.from);
  while (yield* moving.next()) {
    const locked = anonVma !== null && needsRmapLock(moving);
    if (locked) yield* anonVma.root.rwsem.write();
    yield* moving.step();
    if (locked) anonVma.root.rwsem.writeUnlock();
  }
}

/** A whole table changes hands without the locks of its entries. A stack under construction is skipped by walks. */
export function needsRmapLock({ why, merged, from, to, level }: PageTableMove): boolean {
  if (why === 'exec-stack') return false;
  return why === 'rollback' || level === 'table' || (merged && to.anonPgoff <= from.anonPgoff);
}
