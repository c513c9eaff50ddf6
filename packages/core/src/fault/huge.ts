import { putPage } from '../folio/free.js';
import { addPmd } from '../folio/mapcount.js';
import { ANON, EXCLUSIVE, PMD_ORDER, SWAPBACKED, SWAPCACHE } from '../folio/mem-map.js';
import { mlockVmaFolio } from '../folio/mlock.js';
import type { Machine } from '../machine.js';
import { ENTRIES, PAGES_PER_LEAF } from '../page-table/page-table.js';
import { DIRTY, kindOf, MIGRATION, makePte, NONE, PRESENT, pfnOf, WRITE, YOUNG, ZERO } from '../page-table/pte.js';
import { splitPmd } from '../page-table/split-pmd.js';
import { freeSwap } from '../reclaim/swap.js';
import type { Op } from '../sync/op.js';
import { type Address, addressOf, type Folio, type Pfn, pageOf, type Vpn } from '../units.js';
import { VM_DROPPABLE, VM_WRITE } from '../vma/vm-flags.js';
import type { VmArea } from '../vma/vma.js';
import { waitForMigration } from './migration.js';
import { type FaultOutcome, prepareFault } from './prepare.js';
import { allowableOrders, suitableStart } from './thp.js';

/** What the PMD-size path reports: `fallback`, try single pages. */
type HugeOutcome = FaultOutcome | 'fallback';

/**
 * First touch where no leaf table is yet: a folio of PMD size, or for a read the huge zero page (do_huge_pmd_anonymous_page).
 * The VMA is prepared even for a read.
 */
export function* hugeAnonymous(
  m: Machine,
  vma: VmArea,
  address: Address,
  write: boolean,
  underMmapLock: boolean,
): Op<HugeOutcome> {
  const start = suitableStart(vma, address, PMD_ORDER);
  if ((allowableOrders(m, vma) & (1 << PMD_ORDER)) === 0 || start === null) return 'fallback';
  if (!(yield* prepareFault(m, vma, underMmapLock))) return 'retry';
  const vpn = pageOf(start);
  m.tables.allocPmd(vma.mm.pgd, vpn);
  if (write) return yield* mapNewHuge(m, vma, start, NONE);
  const spare = m.tables.alloc();
  const at = m.tables.pmdSlot(vma.mm.pgd, vpn);
  yield* m.ptl.lock(Math.floor(at / ENTRIES));
  const free = m.tables.entries[at] === NONE;
  if (free) {
    m.tables.writePmd(at)[at] = makePte(ZERO, 0, 0);
    m.tables.deposit(at, spare);
  } else m.tables.free(spare);
  m.ptl.unlock(Math.floor(at / ENTRIES));
  return 'done';
}

/** Maps a fresh folio of PMD size where the PMD entry is still `seen`: none, or the huge zero page. */
function* mapNewHuge(m: Machine, vma: VmArea, start: Address, seen: number): Op<HugeOutcome> {
  const { mem, tables } = m;
  const vpn = pageOf(start);
  if (m.rmap.reserve) {
    const work = m.rmap.reserve(PAGES_PER_LEAF);
    if (work) yield* work;
  }
  const folio = mem.allocLarge(PMD_ORDER);
  if (folio === null) return 'fallback';
  // An entry that is there has its table put by already.
  const spare = seen === NONE ? yield* allocTable(m, folio) : 0;
  const at = tables.pmdSlot(vma.mm.pgd, vpn);
  const lock = Math.floor(at / ENTRIES);
  yield* m.ptl.lock(lock);
  if (tables.entries[at] !== seen) {
    m.ptl.unlock(lock);
    if (spare !== 0) tables.free(spare);
    yield* putPage(m, folio as number as Pfn);
    return 'done';
  }
  yield* makeAnonymous(m, vma, start, folio);
  yield* mapHuge(m, vma, vpn, at, folio);
  if (spare !== 0) tables.deposit(at, spare);
  m.ptl.unlock(lock);
  return 'done';
}

/** A table to put by; without one the folio goes back. @throws NoMemory */
function* allocTable(m: Machine, folio: Folio): Op<number> {
  try {
    return m.tables.alloc();
  } catch (error) {
    yield* putPage(m, folio as number as Pfn);
    throw error;
  }
}

/** Of an anonymous page: SWAPBACKED, but where it may be dropped as it is. */
export const backing = ({ flags }: VmArea): number => ((flags & VM_DROPPABLE) === 0 ? SWAPBACKED : 0);

/** A fresh folio of any order becomes exclusive anonymous memory of `vma`, its first page at `start`; counters come with the entries (folio_add_new_anon_rmap). */
export function* makeAnonymous(m: Machine, vma: VmArea, start: Address, folio: Folio): Op<void> {
  const { mem } = m;
  mem.flags[folio] |= ANON | backing(vma);
  for (let tail = folio + 1; tail < folio + mem.pages(folio); tail++) mem.flags[tail] |= ANON;
  mem.index[folio] = vma.anonIndex(start);
  const anchored = m.rmap.anchor(folio, vma, 'new');
  if (anchored) yield* anchored;
  mlockVmaFolio(m, folio, vma);
}

/** Stores the PMD entry of a folio at page `vpn`, exclusive; under the PMD's lock (map_anon_folio_pmd). */
export function* mapHuge(m: Machine, vma: VmArea, vpn: Vpn, at: number, folio: Folio): Op<void> {
  m.mem.flags[folio] |= EXCLUSIVE;
  addPmd(m.mem, folio, vma.mm.id);
  if (m.rmap.mapping) {
    const work = m.rmap.mapping(m.span.ofPmd(vma, addressOf(vpn), folio as number as Pfn), 'new', null);
    if (work) yield* work;
  }
  if (m.sync.stepping) yield { kind: 'pte', object: vma.mm, label: `map folio at page ${vpn}` };
  const writable = (vma.flags & VM_WRITE) !== 0 ? WRITE : 0;
  m.tables.writePmd(at)[at] = makePte(PRESENT, folio, YOUNG | DIRTY | writable);
}

/** A touch where the PMD entry at `at` maps memory as a whole: goes ahead, or mends the entry (do_huge_pmd_wp_page). */
export function* hugeTouch(
  m: Machine,
  vma: VmArea,
  address: Address,
  at: number,
  write: boolean,
  underMmapLock: boolean,
  stores: boolean,
): Op<FaultOutcome | 'present'> {
  const pmd = m.tables.entries[at];
  const present = kindOf(pmd) === PRESENT;
  if (kindOf(pmd) === MIGRATION) return yield* waitForMigration(m, vma, pfnOf(pmd));
  if (!write) {
    if (present) m.tables.writePmd(at)[at] = pmd | YOUNG;
    return 'present';
  }
  if (present && (pmd & WRITE) !== 0) {
    m.tables.writePmd(at)[at] = pmd | YOUNG | DIRTY;
    if (stores) m.mem.version[pfnOf(pmd) + (pageOf(address) % PAGES_PER_LEAF)] = ++m.writes;
    return 'present';
  }
  if (!present) {
    const start = suitableStart(vma, address, PMD_ORDER);
    if (!(yield* prepareFault(m, vma, underMmapLock))) return 'retry';
    const outcome = start === null ? 'fallback' : yield* mapNewHuge(m, vma, start, pmd);
    if (outcome !== 'fallback') return outcome;
  } else if (yield* reuseHuge(m, vma, at, pmd)) return 'done';
  yield* splitPmd(m, vma, pageOf(address));
  vma.mm.forgetShortcuts();
  return 'done';
}

/**
 * Whether the entry, and the swap cache if it can do without, is the folio's only user; then the folio becomes exclusive to `vma`, and the
 * entry writable. Also true where the entry changed meanwhile: look again.
 */
function* reuseHuge(m: Machine, vma: VmArea, at: number, seen: number): Op<boolean> {
  const { mem, tables } = m;
  const folio = pfnOf(seen) as number as Folio;
  const lock = Math.floor(at / ENTRIES);
  yield* m.ptl.lock(lock);
  if (tables.entries[at] === seen && (mem.flags[folio] & EXCLUSIVE) === 0 && !m.folioLock.tryLock(folio)) {
    mem.refcount[folio]++;
    m.ptl.unlock(lock);
    yield* m.folioLock.lock(folio);
    m.folioLock.unlock(folio);
    yield* putPage(m, folio as number as Pfn);
    return true;
  }
  const same = tables.entries[at] === seen;
  const locked = same && (mem.flags[folio] & EXCLUSIVE) === 0;
  const own = !locked || isOnlyUser(m, folio);
  if (locked && own) {
    const work = m.rmap.anchor(folio, vma, 'reuse');
    if (work) yield* work;
    mem.flags[folio] |= EXCLUSIVE;
  }
  if (locked) m.folioLock.unlock(folio);
  if (same && own) tables.writePmd(at)[at] = seen | WRITE;
  m.ptl.unlock(lock);
  return own;
}

/** Whether a locked folio has one reference, once the swap cache gave up its own. */
function isOnlyUser(m: Machine, folio: Folio): boolean {
  const { mem } = m;
  const cached = (mem.flags[folio] & SWAPCACHE) !== 0 ? mem.pages(folio) : 0;
  return mem.refcount[folio] <= 1 + cached && freeSwap(m, folio) && mem.refcount[folio] === 1;
}
