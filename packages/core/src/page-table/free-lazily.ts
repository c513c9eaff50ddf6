import { maybeMappedShared, totalMapcount } from '../folio/mapcount.js';
import { ANON, MLOCKED, DIRTY as PAGE_DIRTY, SWAPBACKED, SWAPCACHE } from '../folio/mem-map.js';
import { splitMapped } from '../folio/split.js';
import type { Machine } from '../machine.js';
import { freeSwap, freeSwapEntry } from '../reclaim/swap.js';
import type { Op } from '../sync/op.js';
import { type Address, type Folio, pageOf, type Vpn } from '../units.js';
import type { VmArea } from '../vma/vma.js';
import { ENTRIES, PAGES_PER_LEAF } from './page-table.js';
import { DIRTY, kindOf, NONE, PRESENT, payloadOf, pfnOf, SWAP, YOUNG } from './pte.js';
import { pteBatch } from './pte-batch.js';

/**
 * Marks the anonymous pages of [start, end) as lazily freeable (madvise_free_pte_range, madvise_free_huge_pmd): those that only this
 * place maps, or that nobody knows to be dirty. A large folio that is not all there is split. What is in swap goes at once.
 */
export function* freeLazily(m: Machine, vma: VmArea, start: Address, end: Address): Op<void> {
  const { mem, tables } = m;
  const { pgd } = vma.mm;
  const last = pageOf(end);
  for (let vpn = tables.nextLeaf(pgd, pageOf(start), last); vpn < last; ) {
    const stop = Math.min((Math.floor(vpn / PAGES_PER_LEAF) + 1) * PAGES_PER_LEAF, last);
    const huge = tables.huge(pgd, vpn);
    const at = huge !== 0 ? huge : tables.leaf(pgd, vpn) * ENTRIES + (vpn & (ENTRIES - 1));
    const pte = tables.entries[at];
    let pages = huge !== 0 ? stop - vpn : 1;
    if (kindOf(pte) === SWAP) {
      tables.write(at)[at] = NONE;
      yield* freeSwapEntry(m, payloadOf(pte));
    } else if (kindOf(pte) === PRESENT && (mem.flags[pfnOf(pte)] & ANON) !== 0) {
      const folio = mem.folioOf(pfnOf(pte));
      if (huge === 0) pages = pteBatch(m, at, at + (stop - vpn));
      if (pages < mem.pages(folio)) {
        if (!maybeMappedShared(mem, folio) && (yield* splitMapped(m, folio))) continue;
      } else if (huge === 0) markPtes(m, folio, at, pages);
      else markPmd(m, folio, at);
    }
    vpn = tables.nextLeaf(pgd, (vpn + pages) as Vpn, last);
  }
}

/** All entries of a folio, from `at` on. Only of a folio that is known to be dirty does the kernel ask who else maps it. */
function markPtes(m: Machine, folio: Folio, at: number, pages: number): void {
  const { mem, tables } = m;
  if ((mem.flags[folio] & (SWAPCACHE | PAGE_DIRTY)) !== 0) {
    if (totalMapcount(mem, folio) !== pages || !m.folioLock.tryLock(folio)) return;
    const alone = freeSwap(m, folio);
    if (alone) mem.flags[folio] &= ~PAGE_DIRTY;
    m.folioLock.unlock(folio);
    if (!alone) return;
  }
  const entries = tables.writeRange(at, pages);
  for (let i = 0; i < pages; i++) entries[at + i] &= ~(YOUNG | DIRTY);
  markLazy(m, folio);
}

function markPmd(m: Machine, folio: Folio, at: number): void {
  const { mem, tables } = m;
  if (maybeMappedShared(mem, folio) || m.folioLock.isLocked(folio)) return;
  mem.flags[folio] &= ~PAGE_DIRTY;
  tables.writePmd(at)[at] &= ~(YOUNG | DIRTY);
  markLazy(m, folio);
}

/** Lets reclaim drop the folio without writing it out; not one that is mlocked or in the swap cache (folio_mark_lazyfree). */
function markLazy({ mem }: Machine, folio: Folio): void {
  if ((mem.flags[folio] & (MLOCKED | SWAPCACHE)) === 0) mem.flags[folio] &= ~SWAPBACKED;
}
