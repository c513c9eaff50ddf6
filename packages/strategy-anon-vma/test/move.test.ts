import type { PageTableMove } from '@rmap-lab/core';
import { expect, it } from 'vitest';
import { needsRmapLock } from '../src/move.js';

type Case = Pick<PageTableMove, 'why' | 'merged' | 'level'> & { readonly to: number };

/** From offset 10 to offset `to`. */
const locked = ({ to, ...rest }: Case): boolean =>
  needsRmapLock({ ...rest, from: { anonPgoff: 10 }, to: { anonPgoff: to } } as PageTableMove);

/** move_ptes, need_rmap_locks, vma_is_temporary_stack. */
it.each<[string, boolean, Case]>([
  ['a copy behind its source, which walks look at first', false, { why: 'mremap', merged: false, level: 'pte', to: 20 }],
  ['a copy before its source: it was linked later all the same', false, { why: 'mremap', merged: false, level: 'pte', to: 5 }],
  ['into a VMA that was there, behind the source', false, { why: 'mremap', merged: true, level: 'pte', to: 20 }],
  ['into a VMA that was there, before the source', true, { why: 'mremap', merged: true, level: 'pte', to: 5 }],
  ['into a VMA that was there, at the same offset', true, { why: 'mremap', merged: true, level: 'pte', to: 10 }],
  ['a huge page', false, { why: 'mremap', merged: false, level: 'pmd', to: 20 }],
  ['a whole table', true, { why: 'mremap', merged: false, level: 'table', to: 20 }],
  ['back, as there was no memory', true, { why: 'rollback', merged: false, level: 'pte', to: 20 }],
  ['a stack under construction, which walks skip', false, { why: 'exec-stack', merged: true, level: 'table', to: 5 }],
])('a move of %s takes the lock: %s', (_, expected, moving) => {
  expect(locked(moving)).toBe(expected);
});
