import { unmapLargePte, unmapPmd } from '../folio/deferred-split.js';
import { addPmd, addPte, isLarge, removePte, totalMapcount } from '../folio/mapcount.js';
import { DIRTY as PAGE_DIRTY, EXCLUSIVE as PAGE_EXCLUSIVE } from '../folio/mem-map.js';
import { mlockVmaFolio, munlockVmaFolio } from '../folio/mlock.js';
import type { Machine } from '../machine.js';
import { DIRTY, EXCLUSIVE, kindOf, MIGRATION, makePte, PRESENT, pfnOf, WRITE, YOUNG } from '../page-table/pte.js';
import type { OnEntry } from '../rmap/walk.js';
import type { Folio, Pfn } from '../units.js';

/** Makes a migration entry of a present one: it remembers whether it was writable, and exclusive (try_to_migrate_one). */
export const toMigrationEntry =
  (m: Machine): OnEntry =>
  (vma, _address, _leaf, at, byPmd) => {
    const { mem, tables } = m;
    const entry = tables.entries[at];
    const pfn = pfnOf(entry);
    const folio = mem.folioOf(pfn);
    const exclusive = (mem.flags[pfn] & PAGE_EXCLUSIVE) !== 0 ? EXCLUSIVE : 0;
    (byPmd ? tables.writePmd(at) : tables.write(at))[at] = makePte(MIGRATION, pfn, (entry & (WRITE | YOUNG | DIRTY)) | exclusive);
    mem.flags[pfn] &= ~PAGE_EXCLUSIVE;
    if ((entry & DIRTY) !== 0) mem.flags[folio] |= PAGE_DIRTY;
    if (byPmd) unmapPmd(m, folio, vma.mm.id);
    else if (isLarge(mem, pfn)) unmapLargePte(m, pfn, vma.mm.id);
    else removePte(mem, pfn, vma.mm.id);
    munlockVmaFolio(m, folio, vma);
    mem.refcount[folio]--;
    return totalMapcount(mem, folio) > 0;
  };

/** Makes a present entry of a migration entry for `from`, now for the same page of `to` (remove_migration_pte). */
export const fromMigrationEntry =
  (m: Machine, from: Folio, to: Folio): OnEntry =>
  (vma, _address, _leaf, at, byPmd) => {
    const { mem, tables } = m;
    const entry = tables.entries[at];
    if (kindOf(entry) !== MIGRATION) return true;
    const pfn = (pfnOf(entry) - from + to) as Pfn;
    if ((entry & (WRITE | EXCLUSIVE)) !== 0) mem.flags[pfn] |= PAGE_EXCLUSIVE;
    if (byPmd) addPmd(mem, to, vma.mm.id);
    else addPte(mem, pfn, vma.mm.id);
    if (byPmd || !isLarge(mem, to)) mlockVmaFolio(m, to, vma); // one PTE does not show whether all of it is there
    mem.refcount[to]++;
    (byPmd ? tables.writePmd(at) : tables.write(at))[at] = makePte(PRESENT, pfn, entry & (WRITE | YOUNG | DIRTY));
    return true;
  };
