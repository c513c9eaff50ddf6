import type { Machine } from '../machine.js';
import type { Folio, Pfn } from '../units.js';
import { entireMapcount, pagesMapped, removePmd, removePte } from './mapcount.js';
import { SWAPCACHE } from './mem-map.js';

/** One PTE of a large folio less; a folio that is now mapped in part is remembered, to be split under memory pressure (__folio_remove_rmap). */
export function unmapLargePte(m: Machine, pfn: Pfn, mm: number): void {
  const { mem } = m;
  const folio = mem.folioOf(pfn);
  removePte(mem, pfn, mm);
  if (mem.mapcount[pfn] === 0 && entireMapcount(mem, folio) === 0 && pagesMapped(mem, folio) > 0) deferSplit(m, folio);
}

/** One PMD entry of a folio less; pages that only it mapped may be left out by now. */
export function unmapPmd(m: Machine, folio: Folio, mm: number): void {
  const { mem } = m;
  removePmd(mem, folio, mm);
  const mapped = pagesMapped(mem, folio);
  if (mapped > 0 && mapped < mem.pages(folio) && entireMapcount(mem, folio) === 0) deferSplit(m, folio);
}

/** Remembers a folio that is mapped in part, unless reclaim has it: what is in the swap cache can't be split (deferred_split_folio). */
export function deferSplit(m: Machine, folio: Folio): void {
  if ((m.mem.flags[folio] & SWAPCACHE) === 0) m.deferredSplit.add(folio);
}
