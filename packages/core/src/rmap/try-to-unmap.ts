import { unmapLargePte } from '../folio/deferred-split.js';
import { putPage } from '../folio/free.js';
import { isLarge, totalMapcount } from '../folio/mapcount.js';
import { EXCLUSIVE as PAGE_EXCLUSIVE, SWAPBACKED } from '../folio/mem-map.js';
import { mlockFolio } from '../folio/mlock.js';
import type { Machine } from '../machine.js';
import { ENTRIES } from '../page-table/page-table.js';
import { DIRTY, EXCLUSIVE, makePte, NONE, pfnOf, SWAP } from '../page-table/pte.js';
import { pteBatch } from '../page-table/pte-batch.js';
import { slotOfPage } from '../reclaim/swap.js';
import { finish, type Op } from '../sync/op.js';
import type { Folio, Pfn } from '../units.js';
import { VM_LOCKED } from '../vma/vm-flags.js';
import { walkFolio } from './walk.js';

/**
 * What became of a folio's entries: `unmapped`, all gone; `locked`, a VM_LOCKED mapping keeps it; `dirty`, written since
 * MADV_FREE, so it is kept and swap-backed again; `busy`, some are left, or somebody else has the folio.
 */
type Unmap = 'unmapped' | 'locked' | 'dirty' | 'busy';

/**
 * Turns each entry of a folio into a swap entry, which remembers exclusivity, or clears it if the page is lazily freeable and
 * clean (try_to_unmap). PMD entries are split. The caller holds the folio lock and a reference; a swap-backed folio is in the swap cache.
 */
export function* tryToUnmap(m: Machine, folio: Folio): Op<Unmap> {
  const { mem, swap, tables } = m;
  let outcome: Unmap = 'unmapped';
  let dropped = 0;
  yield* walkFolio(
    m,
    folio,
    (vma, address, leaf, at) => {
      if ((vma.flags & VM_LOCKED) !== 0) {
        outcome = 'locked';
        // It was missed. One that is there in part may be split later, and its other part reclaimed.
        if (pteBatch(m, at, (leaf + 1) * ENTRIES) === mem.pages(folio)) mlockFolio(m, folio);
        return false;
      }
      const pte = tables.entries[at];
      const pfn = pfnOf(pte);
      const lazy = (mem.flags[folio] & SWAPBACKED) === 0;
      if (lazy && (pte & DIRTY) !== 0) {
        mem.flags[folio] |= SWAPBACKED;
        outcome = 'dirty';
        return false;
      }
      if (m.rmap.unmapped !== undefined) finish(m.rmap.unmapped(m.span.ofPage(vma, address, pfn)));
      tables.write(at)[at] = lazy ? NONE : swapEntry(pfn);
      if (isLarge(mem, pfn)) unmapLargePte(m, pfn, vma.mm.id);
      else mem.mapcount[pfn]--;
      dropped++;
      return true;
    },
    { skipTemporaryStacks: true, splitPmds: true },
  );
  for (let i = 0; i < dropped; i++) yield* putPage(m, folio as number as Pfn);
  return outcome === 'unmapped' && totalMapcount(mem, folio) > 0 ? 'busy' : outcome;

  function swapEntry(pfn: Pfn): number {
    const slot = slotOfPage(m, pfn);
    const exclusive = (mem.flags[pfn] & PAGE_EXCLUSIVE) !== 0 ? EXCLUSIVE : 0;
    mem.flags[pfn] &= ~PAGE_EXCLUSIVE;
    swap.counts[slot]++;
    return makePte(SWAP, slot, exclusive);
  }
}
