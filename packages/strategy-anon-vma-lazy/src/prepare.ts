import type { Op, Soon, Vma } from '@rmap-lab/core';
import { prepare as prepareRegular } from '@rmap-lab/strategy-anon-vma/parts';
import { becomeRoot } from './root-vma.js';
import type { LazyState } from './state.js';

/** The first fault makes its VMA a root: no memory, no neighbours to look at. */
export function prepare(state: LazyState, vma: Vma): Soon<void> {
  const { anonVma, root } = state.vmas.of(vma);
  if (anonVma !== null || root !== null) return;
  return state.smallEnough(vma) ? tag(state, vma) : prepareRegular(state, vma);
}

/** Of two first faults at once, one wins (cmpxchg). */
function* tag(state: LazyState, vma: Vma): Op<void> {
  if ((yield* state.services.load(state.vmas.of(vma), 'root')) === null) becomeRoot(state, vma);
}
