import { KernelError, NoMemory } from '../errors.js';
import { makeAnonymous, mapHuge } from '../fault/huge.js';
import { waitForMigration } from '../fault/migration.js';
import { swapIn } from '../fault/swap-in.js';
import { allowableOrders } from '../fault/thp.js';
import { unmapLargePte } from '../folio/deferred-split.js';
import { putPage } from '../folio/free.js';
import { isLarge, maybeMappedShared, totalMapcount } from '../folio/mapcount.js';
import { EXCLUSIVE, KSM, PMD_ORDER, SWAPCACHE, WAS_USED } from '../folio/mem-map.js';
import { munlockVmaFolio } from '../folio/mlock.js';
import type { Machine } from '../machine.js';
import { startWrite } from '../mm/vma-lock.js';
import { freeGathered } from '../page-table/free-gathered.js';
import { ENTRIES, PAGES_PER_LEAF, PMD_SIZE, type Table } from '../page-table/page-table.js';
import { GUARD, kindOf, MIGRATION, NONE, PRESENT, pfnOf, SWAP, YOUNG, ZERO } from '../page-table/pte.js';
import type { Op } from '../sync/op.js';
import { type Address, addressOf, type Folio, type Pfn, pageOf, type Vpn } from '../units.js';
import { isTemporaryStack, VM_NOHUGEPAGE, VM_SPECIAL, VM_UFFD_MISSING } from '../vma/vm-flags.js';
import type { VmArea } from '../vma/vma.js';
import { collapseFile, liesAsInFile } from './collapse-file.js';
import { AWAITED, type Collapse, type Failure, IN_USE, NOT_PRESENT, UNFIT } from './collapse-result.js';

/**
 * Replaces the pages of each aligned 2 MiB of [start, end) by one folio that a PMD entry maps (madvise_collapse), under mmap_lock. What
 * is in swap is brought in for it, and stays so where a page is in the way.
 * @throws EINVAL: the memory can't have large folios, or a part has no page table; EAGAIN: somebody refers to a page; EBUSY: pages are missing
 * that a userfaultfd waits for; ENOMEM
 */
export function* collapseRange(m: Machine, vma: VmArea, start: Address, end: Address): Op<void> {
  const may = vma.file === null ? vma.faulted : liesAsInFile(vma);
  const unfit = !may || (vma.flags & (VM_NOHUGEPAGE | VM_SPECIAL)) !== 0 || isTemporaryStack(vma.flags);
  const first = Math.ceil(start / PMD_SIZE) * PMD_SIZE;
  const last = Math.floor(end / PMD_SIZE) * PMD_SIZE;
  const fits = Math.ceil(vma.start / PMD_SIZE) * PMD_SIZE + PMD_SIZE <= vma.end;
  if (unfit || !fits || last < first) throw new KernelError('EINVAL', 'madvise', `${vma} can't have a folio of PMD size there`);
  let failure: Failure | null = null;
  yield* startWrite(m, vma);
  for (let at = first; at < last && failure?.ends !== true; at += PMD_SIZE) {
    const vpn = pageOf(at as Address);
    const outcome = vma.file === null ? yield* collapsePmd(m, vma, vpn) : collapseFile(m, vma, vpn);
    if (outcome !== 'done') failure = outcome;
  }
  if (failure !== null) throw new KernelError(failure.errno, 'madvise', `not all of 0x${start.toString(16)} could be collapsed`);
}

/** What khugepaged takes at most (its max_ptes_none, max_ptes_shared and max_ptes_swap as Linux starts). */
const MAX_NONE = 511;
const MAX_SHARED = 256;
const MAX_SWAP = 64;

/**
 * One pass of khugepaged: every aligned 2 MiB of memory whose settings ask for large folios, where a page was used of late and
 * not too many are missing or of folios that others map too (hpage_collapse_scan_pmd). How many ranges it collapsed. @throws NoMemory, what was done stays
 */
export function* khugepagedScan(m: Machine): Op<number> {
  let done = 0;
  for (const mm of [...m.mms.values()]) {
    yield* mm.mmapLock.write();
    try {
      for (const vma of [...mm.tree]) {
        if (!vma.faulted || (allowableOrders(m, vma) & (1 << PMD_ORDER)) === 0) continue;
        yield* startWrite(m, vma);
        const last = Math.floor(vma.end / PMD_SIZE) * PMD_SIZE;
        for (let at = Math.ceil(vma.start / PMD_SIZE) * PMD_SIZE; at < last; at += PMD_SIZE) {
          const vpn = pageOf(at as Address);
          if (worthCollapsing(m, vma, vpn) && (yield* collapsePmd(m, vma, vpn)) === 'done') done++;
        }
      }
    } finally {
      mm.writeUnlock();
    }
  }
  return done;
}

function worthCollapsing(m: Machine, vma: VmArea, vpn: Vpn): boolean {
  const { mem, tables } = m;
  const leaf = tables.leaf(vma.mm.pgd, vpn);
  if (leaf === 0) return false;
  let none = 0;
  let shared = 0;
  let away = 0;
  let young = 0;
  for (let at = leaf * ENTRIES; at < (leaf + 1) * ENTRIES; at++) {
    const pte = tables.entries[at];
    if (pte === NONE || kindOf(pte) === ZERO) none++;
    else if (kindOf(pte) !== PRESENT) away++;
    else {
      if (maybeMappedShared(mem, mem.folioOf(pfnOf(pte)))) shared++;
      if ((pte & YOUNG) !== 0 || (mem.flags[mem.folioOf(pfnOf(pte))] & WAS_USED) !== 0) young++;
    }
  }
  const enough = away > 0 ? PAGES_PER_LEAF / 2 : 1;
  return none <= MAX_NONE && shared <= MAX_SHARED && away <= MAX_SWAP && young >= enough;
}

/** One PMD's worth, under mmap_lock and the VMA's lock (hpage_collapse_scan_pmd, collapse_huge_page). @throws NoMemory */
function* collapsePmd(m: Machine, vma: VmArea, vpn: Vpn): Op<Collapse> {
  const { tables, mem } = m;
  const at = tables.pmdSlot(vma.mm.pgd, vpn);
  if (at === 0) return NOT_PRESENT;
  if (tables.huge(vma.mm.pgd, vpn) !== 0) return 'done';
  const leaf = tables.leaf(vma.mm.pgd, vpn);
  if (leaf === 0) return UNFIT;
  const seen = scan(m, vma, leaf);
  if (seen !== 'done') return seen;
  if (m.rmap.reserve) {
    const work = m.rmap.reserve(PAGES_PER_LEAF);
    if (work) yield* work;
  }
  const folio = mem.allocLarge(PMD_ORDER);
  if (folio === null) throw new NoMemory('folio of PMD size');
  let outcome = yield* bringIn(m, vma, vpn, leaf);
  if (outcome === 'done') outcome = yield* replaceTable(m, vma, vpn, at, leaf, folio);
  if (outcome !== 'done') yield* putPage(m, folio as number as Pfn);
  return outcome;
}

/** Brings the pages in that are in swap or under way (__collapse_huge_page_swapin). */
function* bringIn(m: Machine, vma: VmArea, first: Vpn, leaf: Table): Op<Collapse> {
  for (let i = 0; i < PAGES_PER_LEAF; i++) {
    const pte = m.tables.entries[leaf * ENTRIES + i];
    if (kindOf(pte) === GUARD) return UNFIT;
    if (kindOf(pte) === MIGRATION) yield* waitForMigration(m, vma, pfnOf(pte));
    if (kindOf(pte) === SWAP) {
      const outcome = yield* swapInOrFail(m, vma, addressOf((first + i) as Vpn), leaf, pte);
      if (outcome !== 'done') return outcome;
    }
  }
  return 'done';
}

function* swapInOrFail(m: Machine, vma: VmArea, address: Address, leaf: Table, pte: number): Op<Collapse> {
  try {
    return (yield* swapIn(m, vma, address, leaf, pte, false, false)) === 'done' ? 'done' : IN_USE;
  } catch (error) {
    if (error instanceof NoMemory) return UNFIT;
    throw error;
  }
}

/** Takes over what the table at `leaf` maps, and puts the table by for the PMD entry that maps `folio` in its place. */
function* replaceTable(m: Machine, vma: VmArea, vpn: Vpn, at: number, leaf: Table, folio: Folio): Op<Collapse> {
  const { tables } = m;
  const withdrawn = m.rmap.holdVma(vma, 'write');
  const hold = typeof withdrawn === 'number' ? withdrawn : yield* withdrawn;
  const lock = Math.floor(at / ENTRIES);
  yield* m.ptl.lock(lock);
  yield* m.ptl.lock(leaf);
  const outcome = isolate(m, vma, leaf);
  const old = outcome === 'done' ? yield* takeOver(m, vma, vpn, leaf, folio) : [];
  m.ptl.unlock(leaf);
  if (outcome === 'done') {
    tables.writePmd(at)[at] = NONE;
    yield* makeAnonymous(m, vma, addressOf(vpn), folio);
    yield* mapHuge(m, vma, vpn, at, folio);
    tables.deposit(at, leaf);
    vma.mm.forgetShortcuts();
  }
  m.ptl.unlock(lock);
  const work = m.rmap.release(hold);
  if (work) yield* work;
  yield* freeGathered(m, old, old.length);
  return outcome;
}

/**
 * Whether every entry may go: empty, the zero page, or an anonymous page that only page tables and the swap cache refer to; or, `present`
 * or not, one that can be brought in (hpage_collapse_scan_pmd).
 */
function scan(m: Machine, vma: VmArea, leaf: Table, present = false): Collapse {
  const { mem, tables } = m;
  for (let at = leaf * ENTRIES; at < (leaf + 1) * ENTRIES; at++) {
    const pte = tables.entries[at];
    if (pte === NONE || kindOf(pte) === ZERO) {
      if ((vma.flags & VM_UFFD_MISSING) !== 0) return AWAITED;
    } else if (kindOf(pte) !== PRESENT) {
      if (present) return NOT_PRESENT;
    } else {
      const folio = mem.folioOf(pfnOf(pte));
      const cached = (mem.flags[folio] & SWAPCACHE) !== 0 ? mem.pages(folio) : 0;
      if (m.folioLock.isLocked(folio) || mem.refcount[folio] !== totalMapcount(mem, folio) + cached) return IN_USE;
    }
  }
  return 'done';
}

/** The same once all is there: each page is locked, so one of KSM that is mapped twice is in its own way (__collapse_huge_page_isolate). */
function isolate(m: Machine, vma: VmArea, leaf: Table): Collapse {
  const ksm = new Set<Pfn>();
  for (let at = leaf * ENTRIES; at < (leaf + 1) * ENTRIES; at++) {
    const pte = m.tables.entries[at];
    if (kindOf(pte) !== PRESENT || (m.mem.flags[pfnOf(pte)] & KSM) === 0) continue;
    if (ksm.has(pfnOf(pte))) return IN_USE;
    ksm.add(pfnOf(pte));
  }
  return scan(m, vma, leaf, true);
}

/** Copies what the entries map into the new folio and clears them; whose references are to be dropped (__collapse_huge_page_copy). */
function* takeOver(m: Machine, vma: VmArea, vpn: Vpn, leaf: Table, folio: Folio): Op<Pfn[]> {
  const { mem, tables } = m;
  if (m.sync.stepping) yield { kind: 'pte', object: vma.mm, label: 'collapse' };
  if (m.rmap.unmapped) {
    const work = m.rmap.unmapped(m.span.ofTable(vma, addressOf(vpn), PAGES_PER_LEAF, leaf, 0));
    if (work) yield* work;
  }
  const old: Pfn[] = [];
  const entries = tables.writeRange(leaf * ENTRIES, ENTRIES);
  for (let i = 0; i < ENTRIES; i++) {
    const pte = entries[leaf * ENTRIES + i];
    entries[leaf * ENTRIES + i] = NONE;
    if (kindOf(pte) !== PRESENT) continue;
    const pfn = pfnOf(pte);
    mem.version[folio + i] = mem.version[pfn];
    mem.flags[pfn] &= ~EXCLUSIVE;
    if (isLarge(mem, pfn)) unmapLargePte(m, pfn, vma.mm.id);
    else mem.mapcount[pfn]--;
    munlockVmaFolio(m, mem.folioOf(pfn), vma);
    old.push(mem.folioOf(pfn) as number as Pfn);
  }
  return old;
}
