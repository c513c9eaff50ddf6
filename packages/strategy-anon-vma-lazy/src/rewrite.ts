import type { Op, PteSpan, Vma } from '@rmap-lab/core';
import type { AnonVma } from '@rmap-lab/strategy-anon-vma/parts';
import { isLazyAnchor, lazyAnchor } from './anchor.js';
import type { LazyState } from './state.js';

/** Entries are about to be copied, to travel, or to come back from swap: under their lock, lazy folios among them become regular. */
export function mapping(state: LazyState, span: PteSpan, why: 'new' | 'fork' | 'move', from: PteSpan | null): void {
  const { mremapFix, swapinFix } = state.options;
  if (why === 'new') {
    const { oldest, isLazy, root } = state.vmas.of(span.vma);
    if (swapinFix === 'on' && oldest !== null) rewrite(state, span, oldest.anonVma.root, isLazy ? lazyAnchor(state, root!) : 0);
  } else if (why === 'fork') rewrite(state, from!, state.vmas.of(from!.vma).anonVma!);
  else if (mremapFix === 'pteAndPmd' || (mremapFix === 'pte' && span.level === 'pte')) {
    const { anonVma } = state.vmas.of(span.vma);
    if (anonVma !== null && span.vma !== from!.vma) rewrite(state, from!, anonVma);
  }
}

/** Rewrites all lazy folios that are mapped in a VMA just upgraded. */
export function rewriteAll(state: LazyState, vma: Vma): Op<void> {
  const anonVma = state.vmas.of(vma).anonVma!;
  return state.services.eachSpan(vma, (span) => rewrite(state, span, anonVma));
}

/** A folio without present entries, in the swap cache or under migration, is not met. `keep`: the anchor that may stay. */
function rewrite(state: LazyState, span: PteSpan, anonVma: AnonVma, keep = 0): void {
  const { folios } = state.services;
  span.forEach((page, _at, present) => {
    const folio = folios.of(page);
    const word = folios.anchor(folio);
    if (!present || !isLazyAnchor(word) || word === keep) return;
    folios.setAnchor(folio, anonVma.ref);
  });
}
