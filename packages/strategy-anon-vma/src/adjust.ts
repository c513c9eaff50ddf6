import type { Op, VmaAdjust } from '@rmap-lab/core';
import type { State } from './state.js';

/** Changes ranges while no walk looks on, and keys the links anew (vma_prepare .. vma_complete). */
export function* adjust(state: State, change: VmaAdjust): Op<void> {
  const changed = change.changes.map(({ vma }) => state.vmas.of(vma));
  const link = changed.find((fields) => fields.newest !== null)?.newest;
  if (!link) return yield* change.apply();
  const { rwsem } = link.anonVma.root;
  yield* rwsem.write();
  for (const fields of changed) fields.unkeyAll();
  yield* change.apply();
  for (const fields of changed) fields.keyAll();
  rwsem.writeUnlock();
}
