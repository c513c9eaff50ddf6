import type { Machine } from '../machine.js';
import { ENTRIES, PAGES_PER_LEAF, type Table } from '../page-table/page-table.js';
import { kindOf, PRESENT, pfnOf } from '../page-table/pte.js';
import { endOfRun, pteBatch } from '../page-table/pte-batch.js';
import type { Op } from '../sync/op.js';
import { type Address, type Folio, pageOf, type Vpn } from '../units.js';
import { VM_LOCKED } from '../vma/vm-flags.js';
import type { VmArea } from '../vma/vma.js';
import { ANON, MLOCKED } from './mem-map.js';

/*
 * PG_mlocked is what keeps a folio in memory. It follows VM_LOCKED only where entries come and go and in mlock and munlock themselves,
 * so it outlives a VM_LOCKED that MREMAP_DONTUNMAP takes away, and is not on every page of a locked VMA. Only anonymous folios have it
 * here: pages of files are never evicted.
 */

/** One locked mapping more; the first keeps the folio in memory (mlock_folio, mlock_new_folio). */
function mlockFolio({ mem }: Machine, folio: Folio): void {
  const count = (mem.flags[folio] & MLOCKED) !== 0 ? (mem.mlockCount.get(folio) as number) : 0;
  mem.mlockCount.set(folio, count + 1);
  mem.flags[folio] |= MLOCKED;
}

/** One locked mapping less; the last lets the folio go (munlock_folio). */
function munlockFolio({ mem }: Machine, folio: Folio): void {
  if ((mem.flags[folio] & MLOCKED) === 0) return;
  const left = (mem.mlockCount.get(folio) as number) - 1;
  mem.mlockCount.set(folio, left);
  if (left <= 0) mem.flags[folio] &= ~MLOCKED;
}

/** An entry of `vma` now maps the folio (mlock_vma_folio). */
export function mlockVmaFolio(m: Machine, folio: Folio, vma: VmArea): void {
  if ((vma.flags & VM_LOCKED) !== 0) mlockFolio(m, folio);
}

/** An entry of `vma` maps the folio no more (munlock_vma_folio). */
export function munlockVmaFolio(m: Machine, folio: Folio, vma: VmArea): void {
  if ((vma.flags & VM_LOCKED) !== 0) munlockFolio(m, folio);
}

/**
 * A walk met the folio in `vma`, which is locked, by the entry at `at`, the first of it there: makes up for an mlock that was missed, if one
 * table maps all of the folio (folio_referenced_one, try_to_unmap_one). Of a folio that is there in part, the other part may be
 * reclaimed. Whoever walks has taken it off its list. Whether it is mlocked.
 */
export function mlockMissed(m: Machine, folio: Folio, vma: VmArea, address: Address, at: number, byPmd: boolean): boolean {
  const { mem } = m;
  if (!byPmd && pteBatch(m, at, endOfRun(vma, address, at)) !== mem.pages(folio)) return false;
  if ((mem.flags[folio] & MLOCKED) === 0) forgetMlocks(m, folio);
  mem.flags[folio] |= MLOCKED;
  return true;
}

/** A folio that was taken off its list and put back: how many locked it is forgotten (folio_putback_lru, lru_add). */
export const forgetMlocks = ({ mem }: Machine, folio: Folio): void => void mem.mlockCount.set(folio, 0);

/** Locks or unlocks the folios that [start, end) of `vma` maps, by what its flags say now (mlock_vma_pages_range). */
export function* mlockRange(m: Machine, vma: VmArea, start: Address, end: Address): Op<void> {
  const { tables, mem } = m;
  const { pgd } = vma.mm;
  const last = pageOf(end);
  for (let vpn = tables.nextLeaf(pgd, pageOf(start), last); vpn < last; ) {
    const stop = Math.min((Math.floor(vpn / PAGES_PER_LEAF) + 1) * PAGES_PER_LEAF, last) as Vpn;
    const huge = tables.huge(pgd, vpn);
    const table = huge !== 0 ? Math.floor(huge / ENTRIES) : tables.leaf(pgd, vpn);
    yield* m.ptl.lock(table);
    if (tables.huge(pgd, vpn) !== huge) {
      m.ptl.unlock(table); // it was split meanwhile
      continue;
    }
    if (huge === 0) mlockEntries(m, table, vpn, stop, (vma.flags & VM_LOCKED) !== 0);
    else if (kindOf(tables.entries[huge]) === PRESENT) {
      const folio = mem.folioOf(pfnOf(tables.entries[huge]));
      if ((vma.flags & VM_LOCKED) !== 0) mlockFolio(m, folio);
      else munlockFolio(m, folio);
    }
    m.ptl.unlock(table);
    vpn = tables.nextLeaf(pgd, stop, last);
  }
}

/** The pages `from`..`stop` of one leaf table; a large folio is locked only if all of it is there (mlock_pte_range, allow_mlock_munlock). */
export function mlockEntries(m: Machine, leaf: Table, from: Vpn, stop: Vpn, lock: boolean): void {
  const { mem } = m;
  const first = leaf * ENTRIES + (from & (ENTRIES - 1));
  const last = first + (stop - from);
  for (let at = first; at < last; ) {
    const pte = m.tables.entries[at];
    const run = kindOf(pte) === PRESENT ? pteBatch(m, at, last) : 1;
    at += run;
    if (kindOf(pte) !== PRESENT || (mem.flags[pfnOf(pte)] & ANON) === 0) continue;
    const folio = mem.folioOf(pfnOf(pte));
    if (!lock) munlockFolio(m, folio);
    else if (run === mem.pages(folio)) mlockFolio(m, folio);
  }
}
