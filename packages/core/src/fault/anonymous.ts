import { putPage } from '../folio/free.js';
import { addPte } from '../folio/mapcount.js';
import { ANON, EXCLUSIVE, PMD_ORDER } from '../folio/mem-map.js';
import { mlockVmaFolio } from '../folio/mlock.js';
import type { Machine } from '../machine.js';
import { ENTRIES, type Table } from '../page-table/page-table.js';
import { DIRTY, makePte, NONE, PRESENT, type Pte, WRITE, YOUNG, ZERO } from '../page-table/pte.js';
import { sameEntry } from '../page-table/same-entry.js';
import type { Op } from '../sync/op.js';
import { type Address, type Folio, PAGE_SIZE, type Pfn, pageOf } from '../units.js';
import { VM_WRITE } from '../vma/vm-flags.js';
import type { VmArea } from '../vma/vma.js';
import { backing, makeAnonymous } from './huge.js';
import { type FaultOutcome, prepareFault } from './prepare.js';
import { allowableOrders, MIN_LARGE_ORDER, suitableStart } from './thp.js';

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
  if (leaf === 0) return 'done'; // a PMD entry came first: look again
  const at = leaf * ENTRIES + (vpn & (ENTRIES - 1));
  if (!write) {
    yield* m.ptl.lock(leaf);
    if (sameEntry(m, vma.mm, vpn, leaf, NONE)) m.tables.write(at)[at] = makePte(ZERO, 0, 0);
    m.ptl.unlock(leaf);
    return 'done';
  }
  if (!(yield* prepareFault(m, vma, underMmapLock))) return 'retry';
  const large = yield* allocLargeFolio(m, vma, address, leaf);
  if (large !== null) return yield* mapLarge(m, vma, address, leaf, large);
  yield* reserveOne(m);
  const pfn = m.mem.alloc();
  yield* m.ptl.lock(leaf);
  if (!sameEntry(m, vma.mm, vpn, leaf, NONE)) {
    m.ptl.unlock(leaf);
    yield* putPage(m, pfn);
    return 'done';
  }
  yield* mapNewPage(m, vma, address, pfn, at);
  m.ptl.unlock(leaf);
  return 'done';
}

/** The largest folio below PMD size that fits around `address` where every entry is empty; null: a single page it is (alloc_anon_folio). */
function* allocLargeFolio(m: Machine, vma: VmArea, address: Address, leaf: Table): Op<Folio | null> {
  const orders = allowableOrders(m, vma);
  if (orders === 0) return null;
  for (let order = PMD_ORDER - 1; order >= MIN_LARGE_ORDER; order--) {
    if ((orders & (1 << order)) === 0) continue;
    const start = suitableStart(vma, address, order);
    if (start === null || !rangeIsEmpty(m, leaf, start, 1 << order)) continue;
    if (m.rmap.reserve) {
      const work = m.rmap.reserve(1 << order);
      if (work) yield* work;
    }
    const folio = m.mem.allocLarge(order);
    if (folio !== null) return folio;
  }
  return null;
}

/** pte_range_none */
function rangeIsEmpty(m: Machine, leaf: Table, start: Address, pages: number): boolean {
  const first = leaf * ENTRIES + (pageOf(start) & (ENTRIES - 1));
  for (let at = first; at < first + pages; at++) if (m.tables.entries[at] !== NONE) return false;
  return true;
}

/** Maps every page of a fresh folio by PTEs, unless an entry came first. */
function* mapLarge(m: Machine, vma: VmArea, address: Address, leaf: Table, folio: Folio): Op<FaultOutcome> {
  const { mem, tables } = m;
  const order = mem.order(folio);
  const pages = 1 << order;
  const start = (Math.floor(address / (PAGE_SIZE * pages)) * PAGE_SIZE * pages) as Address;
  yield* m.ptl.lock(leaf);
  if (vma.mm.leaf(pageOf(start)) !== leaf || !rangeIsEmpty(m, leaf, start, pages)) {
    m.ptl.unlock(leaf);
    yield* putPage(m, folio as number as Pfn);
    return 'done';
  }
  yield* makeAnonymous(m, vma, start, folio);
  mem.refcount[folio] += pages - 1;
  const first = leaf * ENTRIES + (pageOf(start) & (ENTRIES - 1));
  for (let i = 0; i < pages; i++) {
    const pfn = (folio + i) as Pfn;
    mem.flags[pfn] |= EXCLUSIVE;
    addPte(mem, pfn, vma.mm.id);
    if (m.rmap.mapping) {
      const work = m.rmap.mapping(m.span.ofPage(vma, (start + i * PAGE_SIZE) as Address, pfn), 'new', null);
      if (work) yield* work;
    }
  }
  if (m.sync.stepping) yield { kind: 'pte', object: vma.mm, label: `map folio at page ${pageOf(start)}` };
  const entries = tables.writeRange(first, pages);
  for (let i = 0; i < pages; i++) entries[first + i] = freshPte(vma, (folio + i) as Pfn);
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
  mem.flags[pfn] = ANON | EXCLUSIVE | backing(vma);
  mem.index[pfn] = vma.anonIndex(address);
  const anchored = m.rmap.anchor(pfn as number as Folio, vma, 'new');
  if (anchored) yield* anchored;
  mlockVmaFolio(m, pfn as number as Folio, vma);
  mem.mapcount[pfn] = 1;
  if (m.rmap.mapping) {
    const work = m.rmap.mapping(m.span.ofPage(vma, address, pfn), 'new', null);
    if (work) yield* work;
  }
  if (m.sync.stepping) yield { kind: 'pte', object: vma.mm, label: `map page ${pageOf(address)}` };
  m.tables.write(at)[at] = freshPte(vma, pfn);
}
