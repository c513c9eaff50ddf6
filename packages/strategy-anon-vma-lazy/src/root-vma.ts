import type { Op, Vma } from '@rmap-lab/core';
import { baseOf, type LazyState } from './state.js';

/** Makes `vma` a root. */
export function becomeRoot(state: LazyState, vma: Vma): void {
  const fields = state.vmas.of(vma);
  fields.root = vma;
  fields.members++;
  fields.base = baseOf(vma.start, vma.anonPgoff);
}

/** Makes `vma` a member of the family of `root`, which lives for as long as it has members. */
export function joinFamily(state: LazyState, vma: Vma, root: Vma): void {
  if (root !== vma && !state.services.vmaRefs.tryGet(root)) throw new RangeError(`the root of VMA ${vma.id} is gone`);
  state.vmas.of(vma).root = root;
  state.vmas.of(root).members++;
}

/** `vma` holds nothing any more. */
export function* leaveFamily(state: LazyState, vma: Vma): Op<void> {
  const fields = state.vmas.of(vma);
  const { root } = fields;
  if (root === null) return;
  fields.root = null;
  state.vmas.of(root).members--;
  yield* letHeirsGo(state, root);
  if (root !== vma) state.services.vmaRefs.put(root);
}

/** Whoever would ask for them is gone. */
export function* letHeirsGo(state: LazyState, root: Vma): Op<void> {
  const { members, pins, heirs } = state.vmas.of(root);
  if (members > 0 || pins > 0) return;
  for (let heir = heirs.pop(); heir !== undefined; heir = heirs.pop()) yield* state.anonVmas.put(heir);
}
