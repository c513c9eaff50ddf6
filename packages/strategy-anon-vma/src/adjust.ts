import type { Op, VmaAdjust } from '@rmap-lab/core';
import type { AnonVma } from './anon-vma.js';
import type { State } from './state.js';

/** Changes ranges while no walk looks on, and keys the links anew (vma_prepare .. vma_complete). */
export function adjust(state: State, change: VmaAdjust): Op<void> {
  for (const { vma } of change.changes) {
    const { newest } = state.vmas.of(vma);
    if (newest !== null) return adjustLinked(state, change, newest.anonVma.root);
  }
  return change.apply();
}

function* adjustLinked(state: State, { changes, apply }: VmaAdjust, { rwsem }: AnonVma): Op<void> {
  yield* rwsem.write();
  for (const { vma } of changes) state.vmas.of(vma).unkeyAll();
  yield* apply();
  for (const { vma } of changes) state.vmas.of(vma).keyAll();
  rwsem.writeUnlock();
}
