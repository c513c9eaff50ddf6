import { maybeMappedShared, totalMapcount } from '../folio/mapcount.js';
import { ANON, MLOCKED, WAS_USED } from '../folio/mem-map.js';
import { forgetMlocks } from '../folio/mlock.js';
import { splitMapped } from '../folio/split.js';
import type { Machine } from '../machine.js';
import { ENTRIES, PAGES_PER_LEAF } from '../page-table/page-table.js';
import { kindOf, PRESENT, pfnOf, YOUNG } from '../page-table/pte.js';
import { pteBatch } from '../page-table/pte-batch.js';
import type { Op } from '../sync/op.js';
import { type Address, type Folio, pageOf, type Vpn } from '../units.js';
import type { VmArea } from '../vma/vma.js';
import { reclaimFolio } from './reclaim.js';

/**
 * Evicts the anonymous folios of [start, end) that nothing else maps, or only makes them old; a folio that is not all there is split either way
 * (madvise_cold_or_pageout_pte_range).
 */
export function* coldOrPageOut(m: Machine, vma: VmArea, start: Address, end: Address, evicts: boolean): Op<void> {
  const { mem, tables } = m;
  const { pgd } = vma.mm;
  const last = pageOf(end);
  for (let vpn = tables.nextLeaf(pgd, pageOf(start), last); vpn < last; ) {
    const stop = Math.min((Math.floor(vpn / PAGES_PER_LEAF) + 1) * PAGES_PER_LEAF, last);
    const huge = tables.huge(pgd, vpn);
    const at = huge !== 0 ? huge : tables.leaf(pgd, vpn) * ENTRIES + (vpn & (ENTRIES - 1));
    const entry = tables.entries[at];
    const folio = kindOf(entry) === PRESENT ? mem.folioOf(pfnOf(entry)) : null;
    let pages = huge !== 0 ? stop - vpn : 1;
    vma.mm.forgetShortcuts();
    if (folio !== null && (mem.flags[folio] & ANON) !== 0) {
      if (huge === 0) pages = pteBatch(m, at, at + (stop - vpn));
      if (pages < mem.pages(folio)) {
        if (!maybeMappedShared(mem, folio) && (yield* splitMapped(m, folio))) continue;
      } else if (huge !== 0 ? !maybeMappedShared(mem, folio) : totalMapcount(mem, folio) === pages) {
        mem.flags[folio] &= ~WAS_USED;
        if (evicts) yield* evict(m, folio);
        else makeOld(m, at, huge === 0 ? pages : 0);
      }
    }
    vpn = tables.nextLeaf(pgd, (vpn + pages) as Vpn, last);
  }
}

/** Clears the accessed bits of a PMD entry (`pages` is 0), or of that many PTEs. */
function makeOld({ tables }: Machine, at: number, pages: number): void {
  if (pages === 0) tables.writePmd(at)[at] &= ~YOUNG;
  else {
    const entries = tables.writeRange(at, pages);
    for (let i = at; i < at + pages; i++) entries[i] &= ~YOUNG;
  }
}

/** A mlocked folio is put back instead (folio_isolate_lru, folio_putback_lru). */
function* evict(m: Machine, folio: Folio): Op<void> {
  if ((m.mem.flags[folio] & MLOCKED) !== 0) forgetMlocks(m, folio);
  else yield* reclaimFolio(m, folio);
}
