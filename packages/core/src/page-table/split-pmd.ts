import { addPte, removePmd } from '../folio/mapcount.js';
import { EXCLUSIVE, DIRTY as PAGE_DIRTY } from '../folio/mem-map.js';
import { mlockVmaFolio, munlockVmaFolio } from '../folio/mlock.js';
import type { Machine } from '../machine.js';
import { finish, type Op } from '../sync/op.js';
import { addressOf, type Folio, type Pfn, type Vpn } from '../units.js';
import type { VmArea } from '../vma/vma.js';
import { ENTRIES, PAGES_PER_LEAF } from './page-table.js';
import { DIRTY, isMapping, kindOf, makePte, PRESENT, pfnOf, TABLE, ZERO } from './pte.js';

/** Replaces the PMD entry around page `vpn` by a table of PTEs that map the same pages, if there is one (__split_huge_pmd). Can't fail. */
export function* splitPmd(m: Machine, vma: VmArea, vpn: Vpn): Op<void> {
  const at = m.tables.huge(vma.mm.pgd, vpn);
  if (at === 0) return;
  const lock = Math.floor(at / ENTRIES);
  yield* m.ptl.lock(lock);
  if (m.sync.stepping) yield { kind: 'pte', object: vma.mm, label: 'split PMD' };
  if (m.tables.huge(vma.mm.pgd, vpn) === at) splitPmdLocked(m, vma, at, vpn);
  m.ptl.unlock(lock);
}

/** The same under the lock of the PMD table: the table put by is filled and hung in (__split_huge_pmd_locked). */
export function splitPmdLocked(m: Machine, vma: VmArea, at: number, vpn: Vpn): void {
  const { tables, mem } = m;
  const base = (Math.floor(vpn / PAGES_PER_LEAF) * PAGES_PER_LEAF) as Vpn;
  const pmd = tables.entries[at];
  const kind = kindOf(pmd);
  const leaf = tables.withdraw(at);
  const first = leaf * ENTRIES;
  const bits = pmd & 0xff;
  const head = pfnOf(pmd);
  const entries = tables.writeRange(first, ENTRIES);
  for (let i = 0; i < ENTRIES; i++) entries[first + i] = kind === ZERO ? makePte(ZERO, 0, 0) : makePte(0, head + i, bits);
  if (m.rmap.mapping && isMapping(pmd))
    finish(m.rmap.mapping(m.span.ofTable(vma, addressOf(base), PAGES_PER_LEAF, leaf, 0), 'new', null));
  if (m.rmap.unmapped && isMapping(pmd)) finish(m.rmap.unmapped(m.span.ofPmd(vma, addressOf(base), head)));
  if (kind === PRESENT) {
    const exclusive = mem.flags[head] & EXCLUSIVE;
    for (let pfn = head as number; pfn < head + ENTRIES; pfn++) {
      addPte(mem, pfn as Pfn, vma.mm.id);
      mem.flags[pfn] |= exclusive;
    }
    removePmd(mem, head as number as Folio, vma.mm.id);
    mlockVmaFolio(m, head as number as Folio, vma); // PTEs for all of it come before the PMD entry goes
    munlockVmaFolio(m, head as number as Folio, vma);
    mem.refcount[head] += ENTRIES - 1;
    if ((pmd & DIRTY) !== 0) mem.flags[head] |= PAGE_DIRTY;
  }
  tables.writePmd(at)[at] = makePte(TABLE, leaf, 0);
}
