import { totalMapcount } from '../folio/mapcount.js';
import { ANON, LARGE, DIRTY as PAGE_DIRTY, SWAPBACKED, SWAPCACHE } from '../folio/mem-map.js';
import { splitMapped } from '../folio/split.js';
import type { Machine } from '../machine.js';
import { freeSwapEntry } from '../reclaim/swap.js';
import type { Op } from '../sync/op.js';
import { type Address, type Folio, PAGE_SIZE, pageOf, type Vpn } from '../units.js';
import type { VmArea } from '../vma/vma.js';
import { ENTRIES, PAGES_PER_LEAF } from './page-table.js';
import { DIRTY, kindOf, NONE, PRESENT, payloadOf, pfnOf, SWAP } from './pte.js';

/**
 * Marks the anonymous pages of [start, end) as lazily freeable (madvise_free_pte_range, madvise_free_huge_pmd): those that only this
 * place maps, or that nobody knows to be dirty. What is in swap goes at once.
 */
export function* freeLazily(m: Machine, vma: VmArea, start: Address, end: Address): Op<void> {
  const { mem, tables } = m;
  const { pgd } = vma.mm;
  const last = pageOf(end);
  for (let vpn = tables.nextLeaf(pgd, pageOf(start), last); vpn < last; ) {
    const huge = tables.huge(pgd, vpn);
    if (huge !== 0) {
      const stop = Math.min((Math.floor(vpn / PAGES_PER_LEAF) + 1) * PAGES_PER_LEAF, last) as Vpn;
      const pmd = tables.entries[huge];
      const folio = pfnOf(pmd) as number as Folio;
      const own = kindOf(pmd) === PRESENT && totalMapcount(mem, folio) === 1;
      if (own && stop - vpn < PAGES_PER_LEAF && (yield* splitMapped(m, folio))) continue;
      if (own && stop - vpn === PAGES_PER_LEAF) {
        mem.flags[folio] &= ~SWAPBACKED;
        tables.entries[huge] = pmd & ~DIRTY;
      }
      vpn = tables.nextLeaf(pgd, stop, last);
      continue;
    }
    const at = tables.leaf(pgd, vpn) * ENTRIES + (vpn & (ENTRIES - 1));
    const pte = tables.entries[at];
    const pfn = pfnOf(pte);
    if (kindOf(pte) === SWAP) {
      tables.entries[at] = NONE;
      yield* freeSwapEntry(m, payloadOf(pte));
    } else if (kindOf(pte) === PRESENT && (mem.flags[pfn] & ANON) !== 0) {
      const folio = mem.folioOf(pfn);
      if ((mem.flags[pfn] & LARGE) === 0) {
        // Only of a page that is known to be dirty does the kernel ask who else maps it.
        if (mem.mapcount[pfn] === 1 || (mem.flags[pfn] & (SWAPCACHE | PAGE_DIRTY)) === 0) {
          mem.flags[pfn] &= ~(SWAPBACKED | PAGE_DIRTY);
          tables.entries[at] = pte & ~DIRTY;
        }
      } else if (
        totalMapcount(mem, folio) === mem.pages(folio) &&
        wholeInRange(vma, start, end, vpn, pfn - folio, mem.pages(folio))
      ) {
        mem.flags[folio] &= ~SWAPBACKED;
        tables.entries[at] = pte & ~DIRTY;
      } else if (totalMapcount(mem, folio) <= mem.pages(folio) && (yield* splitMapped(m, folio))) continue;
    }
    vpn = tables.nextLeaf(pgd, (vpn + 1) as Vpn, last);
  }
}

/** Whether all pages of a folio, of which page `nth` is at `vpn`, would lie in the range if they follow one another. */
function wholeInRange(vma: VmArea, start: Address, end: Address, vpn: Vpn, nth: number, pages: number): boolean {
  const first = (vpn - nth) * PAGE_SIZE;
  return first >= Math.max(start, vma.start) && first + pages * PAGE_SIZE <= Math.min(end, vma.end);
}
