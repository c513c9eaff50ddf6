import type { Machine } from '../machine.js';
import type { Pfn } from '../units.js';
import { entireMapcount, pagesMapped, removePte } from './mapcount.js';

/** One PTE of a large folio less; a folio that is now mapped in part is remembered, to be split under memory pressure (__folio_remove_rmap). */
export function unmapLargePte(m: Machine, pfn: Pfn, mm: number): void {
  const { mem } = m;
  const folio = mem.folioOf(pfn);
  removePte(mem, pfn, mm);
  if (mem.mapcount[pfn] === 0 && entireMapcount(mem, folio) === 0 && pagesMapped(mem, folio) > 0) m.deferredSplit.add(folio);
}
