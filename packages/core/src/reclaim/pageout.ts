import { maybeMappedShared } from '../folio/mapcount.js';
import { ANON } from '../folio/mem-map.js';
import { splitMapped } from '../folio/split.js';
import type { Machine } from '../machine.js';
import { ENTRIES, PAGES_PER_LEAF } from '../page-table/page-table.js';
import { kindOf, PRESENT, pfnOf } from '../page-table/pte.js';
import type { Op } from '../sync/op.js';
import { type Address, type Folio, PAGE_SIZE, pageOf, type Vpn } from '../units.js';
import type { VmArea } from '../vma/vma.js';
import { reclaimFolio } from './reclaim.js';

/** Evicts the anonymous folios of [start, end) that no other address space maps; a folio that reaches out of it is split (madvise_cold_or_pageout_pte_range). */
export function* pageOut(m: Machine, vma: VmArea, start: Address, end: Address): Op<void> {
  const { mem, tables } = m;
  const { pgd } = vma.mm;
  const last = pageOf(end);
  for (let vpn = tables.nextLeaf(pgd, pageOf(start), last); vpn < last; ) {
    const huge = tables.huge(pgd, vpn);
    const at = huge !== 0 ? huge : tables.leaf(pgd, vpn) * ENTRIES + (vpn & (ENTRIES - 1));
    const entry = tables.entries[at];
    const folio = kindOf(entry) === PRESENT ? mem.folioOf(pfnOf(entry)) : null;
    const step = huge !== 0 ? PAGES_PER_LEAF - (vpn % PAGES_PER_LEAF) : 1;
    vma.mm.forgetShortcuts();
    if (folio !== null && (mem.flags[folio] & ANON) !== 0 && !maybeMappedShared(mem, folio)) {
      if (reachesOut(m, folio, vma, start, end)) {
        if (yield* splitMapped(m, folio)) continue;
      } else yield* reclaimFolio(m, folio);
    }
    vpn = tables.nextLeaf(pgd, (vpn + step) as Vpn, last);
  }
}

/** Whether pages of the folio have their place outside of the range. */
function reachesOut(m: Machine, folio: Folio, vma: VmArea, start: Address, end: Address): boolean {
  const first = vma.start + (m.mem.index[folio] - vma.anonPgoff) * PAGE_SIZE;
  return first < start || first + m.mem.pages(folio) * PAGE_SIZE > end;
}
