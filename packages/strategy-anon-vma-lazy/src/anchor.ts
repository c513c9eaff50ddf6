import type { Folio, Ref, Vma } from '@rmap-lab/core';
import { FOREIGN } from '@rmap-lab/strategy-anon-vma/parts';
import type { LazyState } from './state.js';

/** The word of a folio whose walk starts from `root`; the series spends the mapping's KSM bit alone on this. */
export const lazyAnchor = (state: LazyState, root: Vma): number => FOREIGN + state.ref(root);
/** Whether a walk from this word starts from a root. */
export const isLazyAnchor = (word: number): boolean => word > FOREIGN;
/** The root that such a word names. */
export const rootRef = (word: number): Ref<Vma> => (word - FOREIGN) as Ref<Vma>;

/**
 * Where a walk of `folio` must start. Whoever may be shared with others by swap entries belongs to the top of the topology
 * that a forked VMA was linked to, never to the VMA's own root.
 */
export function anchor(state: LazyState, folio: Folio, vma: Vma, event: 'new' | 'new-shared' | 'reuse' | 'rehome'): void {
  const { folios } = state.services;
  const fields = state.vmas.of(vma);
  const { anonVma, borrowed, oldest } = fields;
  if (event === 'reuse' && (anonVma === null || borrowed)) {
    if (state.options.reuse === 'toLazy' && fields.isLazy) folios.setAnchor(folio, lazyAnchor(state, fields.root!));
  } else if (event === 'new-shared' && oldest !== null) folios.setAnchor(folio, oldest.anonVma.root.ref);
  else folios.setAnchor(folio, anonVma === null ? lazyAnchor(state, fields.root!) : anonVma.ref);
}

/** Whether a folio from the swap cache may be mapped in `vma` (ksm_might_need_to_copy, which finds no anon_vma in a lazy one and lets it pass: `off`). */
export function reaches(state: LazyState, folio: Folio, vma: Vma): boolean {
  const { folios, rcu } = state.services;
  const fields = state.vmas.of(vma);
  const word = folios.anchor(folio);
  if (!isLazyAnchor(word)) {
    rcu.readLock();
    const { root } = state.anonVmas.at(word);
    rcu.readUnlock();
    return root === fields.oldest?.anonVma.root;
  }
  if (fields.root !== null && state.ref(fields.root) === rootRef(word)) return true;
  if (state.options.swapinFix === 'on') return descends(state, rootRef(word), fields.newest);
  return state.options.swapinFix === 'off';
}

/** Whether one of the links leads to what the family of a root became. */
function descends(state: LazyState, ref: Ref<Vma>, newest: LinkList): boolean {
  const { rcu, vmaRefs } = state.services;
  rcu.readLock();
  const { heirs } = state.vmas.of(vmaRefs.at(ref));
  rcu.readUnlock();
  for (let link = newest; link !== null; link = link.older) if (heirs.includes(link.anonVma)) return true;
  return false;
}

type LinkList = ReturnType<LazyState['vmas']['of']>['newest'];
