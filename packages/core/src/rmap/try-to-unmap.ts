import { unmapLargePte } from '../folio/deferred-split.js';
import { putPage } from '../folio/free.js';
import { isLarge, totalMapcount } from '../folio/mapcount.js';
import { DIRTY as PAGE_DIRTY, EXCLUSIVE as PAGE_EXCLUSIVE, SWAPBACKED } from '../folio/mem-map.js';
import { mlockMissed } from '../folio/mlock.js';
import type { Machine } from '../machine.js';
import { DIRTY, EXCLUSIVE, makePte, NONE, pfnOf, SWAP, WRITE, YOUNG } from '../page-table/pte.js';
import { endOfRun, pteBatch } from '../page-table/pte-batch.js';
import { slotOfPage } from '../reclaim/swap.js';
import { finish, type Op } from '../sync/op.js';
import { type Address, type Folio, PAGE_SIZE, type Pfn } from '../units.js';
import { VM_DROPPABLE, VM_LOCKED } from '../vma/vm-flags.js';
import type { VmArea } from '../vma/vma.js';
import { walkFolio } from './walk.js';

/**
 * What became of a folio's entries: `unmapped`, all gone; `locked`, a VM_LOCKED mapping keeps it; `dirty`, written since
 * MADV_FREE, so it is kept and swap-backed again; `busy`, some are left, or somebody else has the folio.
 */
type Unmap = 'unmapped' | 'locked' | 'dirty' | 'busy';

/**
 * Turns each entry of a folio into a swap entry, which remembers exclusivity, or clears it if the page is lazily freeable and
 * clean (try_to_unmap). PMD entries are split, but not where a VM_LOCKED mapping ends the search. The caller holds the folio lock and
 * a reference; a swap-backed folio is in the swap cache.
 */
export function* tryToUnmap(m: Machine, folio: Folio): Op<Unmap> {
  const { mem, swap, tables } = m;
  let outcome: Unmap = 'unmapped';
  let dropped = 0;
  yield* walkFolio(
    m,
    folio,
    (vma, address, _table, at, byPmd) => {
      if (!evictable(vma)) {
        outcome = 'locked';
        mlockMissed(m, folio, vma, address, at, byPmd);
        return false;
      }
      const lazy = (mem.flags[folio] & SWAPBACKED) === 0;
      // Equally writable, so that they can be put back.
      const pages = lazy ? pteBatch(m, at, endOfRun(vma, address, at), WRITE) : 1;
      if (lazy) {
        outcome = mayDiscard(vma, at, pages);
        if (outcome !== 'unmapped') return false;
      }
      for (let i = 0; i < pages; i++) unmap(vma, (address + i * PAGE_SIZE) as Address, at + i, lazy);
      return totalMapcount(mem, folio) > 0;
    },
    { skipTemporaryStacks: true, splitPmds: evictable },
  );
  for (let i = 0; i < dropped; i++) yield* putPage(m, folio as number as Pfn);
  return outcome === 'unmapped' && totalMapcount(mem, folio) > 0 ? 'busy' : outcome;

  /** Whether `pages` lazily freeable entries may go, all or none: nobody wrote what may not be dropped, and nobody but page tables and the caller refers to the folio. */
  function mayDiscard(vma: VmArea, at: number, pages: number): Unmap {
    const entries = tables.writeRange(at, pages);
    let bits = 0;
    for (let i = 0; i < pages; i++) bits |= entries[at + i] & (YOUNG | DIRTY);
    if ((bits & DIRTY) !== 0) mem.flags[folio] |= PAGE_DIRTY;
    const dirty = (mem.flags[folio] & PAGE_DIRTY) !== 0 && (vma.flags & VM_DROPPABLE) === 0;
    if (!dirty && mem.refcount[folio] - dropped === 1 + totalMapcount(mem, folio)) return 'unmapped';
    for (let i = 0; i < pages; i++) entries[at + i] |= bits;
    if (dirty) mem.flags[folio] |= SWAPBACKED;
    return dirty ? 'dirty' : 'busy';
  }

  function unmap(vma: VmArea, address: Address, at: number, lazy: boolean): void {
    const pte = tables.entries[at];
    const pfn = pfnOf(pte);
    if (m.rmap.unmapped !== undefined) finish(m.rmap.unmapped(m.span.ofPage(vma, address, pfn)));
    tables.write(at)[at] = lazy ? NONE : swapEntry(pfn);
    if (isLarge(mem, pfn)) unmapLargePte(m, pfn, vma.mm.id);
    else mem.mapcount[pfn]--;
    dropped++;
  }

  function swapEntry(pfn: Pfn): number {
    const slot = slotOfPage(m, pfn);
    const exclusive = (mem.flags[pfn] & PAGE_EXCLUSIVE) !== 0 ? EXCLUSIVE : 0;
    mem.flags[pfn] &= ~PAGE_EXCLUSIVE;
    swap.counts[slot]++;
    return makePte(SWAP, slot, exclusive);
  }
}

const evictable = (vma: VmArea): boolean => (vma.flags & VM_LOCKED) === 0;
