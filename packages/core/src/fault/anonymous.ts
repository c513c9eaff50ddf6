import { putPage } from '../folio/free.js';
import { ANON, EXCLUSIVE, SWAPBACKED } from '../folio/mem-map.js';
import type { Machine } from '../machine.js';
import { ENTRIES } from '../page-table/page-table.js';
import { DIRTY, makePte, NONE, PRESENT, type Pte, WRITE, YOUNG, ZERO } from '../page-table/pte.js';
import type { Op } from '../sync/op.js';
import { type Address, type Folio, type Pfn, pageOf } from '../units.js';
import { VM_WRITE } from '../vma/vm-flags.js';
import type { VmArea } from '../vma/vma.js';
import { type FaultOutcome, prepareFault } from './prepare.js';

/** First touch of anonymous memory: the zero page for a read, a fresh page for a write (do_anonymous_page). @throws NoMemory */
export function* anonymousPage(
  m: Machine,
  vma: VmArea,
  address: Address,
  write: boolean,
  underMmapLock: boolean,
): Op<FaultOutcome> {
  const vpn = pageOf(address);
  const leaf = m.tables.allocLeaf(vma.mm.pgd, vpn);
  const at = leaf * ENTRIES + (vpn & (ENTRIES - 1));
  if (!write) {
    yield* m.ptl.lock(leaf);
    if (m.tables.entries[at] === NONE) m.tables.entries[at] = makePte(ZERO, 0, 0);
    m.ptl.unlock(leaf);
    return 'done';
  }
  if (!(yield* prepareFault(m, vma, underMmapLock))) return 'retry';
  yield* reserveOne(m);
  const pfn = m.mem.alloc();
  yield* m.ptl.lock(leaf);
  if (m.tables.entries[at] !== NONE) {
    m.ptl.unlock(leaf);
    yield* putPage(m, pfn);
    return 'done';
  }
  yield* mapNewPage(m, vma, address, pfn, at);
  m.ptl.unlock(leaf);
  return 'done';
}

/** Lets a strategy that records every entry get memory for one more, before the page-table lock. @throws NoMemory */
export function* reserveOne(m: Machine): Op<void> {
  const work = m.rmap.reserve?.(1);
  if (work) yield* work;
}

/** The entry that maps a fresh page of `vma`: young and dirty, writable where the VMA is. */
export const freshPte = (vma: VmArea, pfn: Pfn): Pte =>
  makePte(PRESENT, pfn, (vma.flags & VM_WRITE) !== 0 ? YOUNG | DIRTY | WRITE : YOUNG | DIRTY);

/** Makes `pfn` an exclusive anonymous page of `vma` and stores its entry; under the page-table lock (folio_add_new_anon_rmap). */
export function* mapNewPage(m: Machine, vma: VmArea, address: Address, pfn: Pfn, at: number): Op<void> {
  const { mem } = m;
  mem.flags[pfn] = ANON | EXCLUSIVE | SWAPBACKED;
  mem.index[pfn] = vma.anonIndex(address);
  const anchored = m.rmap.anchor(pfn as number as Folio, vma, 'new');
  if (anchored) yield* anchored;
  mem.mapcount[pfn] = 1;
  if (m.rmap.mapping) {
    const work = m.rmap.mapping(m.span.ofPage(vma, address, pfn), 'new', null);
    if (work) yield* work;
  }
  if (m.sync.stepping) yield { kind: 'pte', object: vma.mm, label: `map page ${pageOf(address)}` };
  m.tables.entries[at] = freshPte(vma, pfn);
}
