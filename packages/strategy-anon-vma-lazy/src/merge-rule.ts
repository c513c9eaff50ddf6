import type { Vma } from '@rmap-lab/core';
import { canMerge as canMergeRegular } from '@rmap-lab/strategy-anon-vma/parts';
import type { LazyState } from './state.js';

/** As for regular VMAs, with the root in the place of the anon_vma: one reference can't keep two roots. */
export function canMerge(
  state: LazyState,
  source: Vma | null,
  target: Vma,
  how: 'new' | 'modified' | 'moved' | 'grown' | 'bridge',
): boolean {
  const from = source === null ? null : state.vmas.of(source);
  const into = state.vmas.of(target);
  if (state.options.mergeRule === 'anySameBase' && from?.isLazy && into.isLazy) return true;
  return canMergeRegular(from, into, how);
}

/** The root of the other, if only one of the two is a root (`preferRoot`). */
export function survivor(state: LazyState, left: Vma, right: Vma): Vma | null {
  const isRoot = (vma: Vma): boolean => state.vmas.of(vma).root === vma;
  if (isRoot(left) === isRoot(right)) return null;
  return isRoot(left) ? left : right;
}
