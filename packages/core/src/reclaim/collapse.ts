import { KernelError, NoMemory } from '../errors.js';
import { makeAnonymous, mapHuge } from '../fault/huge.js';
import { allowableOrders } from '../fault/thp.js';
import { unmapLargePte } from '../folio/deferred-split.js';
import { putPage } from '../folio/free.js';
import { isLarge, maybeMappedShared, totalMapcount } from '../folio/mapcount.js';
import { ANON, EXCLUSIVE, PMD_ORDER, SWAPCACHE } from '../folio/mem-map.js';
import { munlockVmaFolio } from '../folio/mlock.js';
import type { Machine } from '../machine.js';
import { startWrite } from '../mm/vma-lock.js';
import { freeGathered } from '../page-table/free-gathered.js';
import { ENTRIES, PAGES_PER_LEAF, PMD_SIZE, type Table } from '../page-table/page-table.js';
import { kindOf, NONE, PRESENT, pfnOf, YOUNG, ZERO } from '../page-table/pte.js';
import type { Op } from '../sync/op.js';
import { type Address, addressOf, type Folio, type Pfn, pageOf, type Vpn } from '../units.js';
import { isTemporaryStack, VM_NOHUGEPAGE, VM_SPECIAL } from '../vma/vm-flags.js';
import type { VmArea } from '../vma/vma.js';
import { collapseFile, liesAsInFile } from './collapse-file.js';

/** What became of 512 pages: collapsed, or a folio already; or why not, as an errno. */
type Collapse = 'done' | 'EAGAIN' | 'EINVAL';

/**
 * Replaces the pages of each aligned 2 MiB of [start, end) by one folio that a PMD entry maps (madvise_collapse), under mmap_lock.
 * @throws EINVAL: the memory can't have large folios, or a part has no page table; EAGAIN: somebody refers to a page; ENOMEM
 */
export function* collapseRange(m: Machine, vma: VmArea, start: Address, end: Address): Op<void> {
  const may = vma.file === null ? vma.faulted : liesAsInFile(vma);
  const unfit = !may || (vma.flags & (VM_NOHUGEPAGE | VM_SPECIAL)) !== 0 || isTemporaryStack(vma.flags);
  const first = Math.ceil(start / PMD_SIZE) * PMD_SIZE;
  const last = Math.floor(end / PMD_SIZE) * PMD_SIZE;
  const fits = Math.ceil(vma.start / PMD_SIZE) * PMD_SIZE + PMD_SIZE <= vma.end;
  if (unfit || !fits || last < first) throw new KernelError('EINVAL', 'madvise', `${vma} can't have a folio of PMD size there`);
  let failure: Collapse = 'done';
  yield* startWrite(m, vma);
  for (let at = first; at < last; at += PMD_SIZE) {
    const vpn = pageOf(at as Address);
    const outcome = vma.file === null ? yield* collapsePmd(m, vma, vpn) : collapseFile(m, vma, vpn);
    if (outcome !== 'done') failure = outcome;
  }
  if (failure !== 'done') throw new KernelError(failure, 'madvise', `not all of 0x${start.toString(16)} could be collapsed`);
}

/** What khugepaged takes at most (its max_ptes_none and max_ptes_shared as Linux starts). */
const MAX_NONE = 511;
const MAX_SHARED = 256;

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
  let young = 0;
  for (let at = leaf * ENTRIES; at < (leaf + 1) * ENTRIES; at++) {
    const pte = tables.entries[at];
    if (pte === NONE || kindOf(pte) === ZERO) none++;
    if (kindOf(pte) !== PRESENT) continue;
    if (maybeMappedShared(mem, mem.folioOf(pfnOf(pte)))) shared++;
    if ((pte & YOUNG) !== 0) young++;
  }
  return none <= MAX_NONE && shared <= MAX_SHARED && young > 0;
}

/** One PMD's worth, under mmap_lock and the VMA's lock (collapse_huge_page). @throws NoMemory */
function* collapsePmd(m: Machine, vma: VmArea, vpn: Vpn): Op<Collapse> {
  const { tables, mem } = m;
  if (tables.huge(vma.mm.pgd, vpn) !== 0)
    return kindOf(tables.entries[tables.huge(vma.mm.pgd, vpn)]) === PRESENT ? 'done' : 'EINVAL';
  const leaf = tables.leaf(vma.mm.pgd, vpn);
  if (leaf === 0) return 'EINVAL';
  const seen = scan(m, leaf);
  if (seen !== 'done') return seen;
  if (m.rmap.reserve) {
    const work = m.rmap.reserve(PAGES_PER_LEAF);
    if (work) yield* work;
  }
  const folio = mem.allocLarge(PMD_ORDER);
  if (folio === null) throw new NoMemory('folio of PMD size');
  const withdrawn = m.rmap.holdVma(vma, 'write');
  const hold = typeof withdrawn === 'number' ? withdrawn : yield* withdrawn;
  const at = tables.pmdSlot(vma.mm.pgd, vpn);
  const lock = Math.floor(at / ENTRIES);
  yield* m.ptl.lock(lock);
  yield* m.ptl.lock(leaf);
  const again = scan(m, leaf);
  const old = again === 'done' ? yield* takeOver(m, vma, vpn, leaf, folio) : [];
  m.ptl.unlock(leaf);
  if (again === 'done') {
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
  if (again !== 'done') yield* putPage(m, folio as number as Pfn);
  return again;
}

/** Whether every entry may go: empty, the zero page, or an anonymous page that only page tables and the swap cache refer to (hpage_collapse_scan_pmd). */
function scan(m: Machine, leaf: Table): Collapse {
  const { mem, tables } = m;
  for (let at = leaf * ENTRIES; at < (leaf + 1) * ENTRIES; at++) {
    const pte = tables.entries[at];
    if (pte === NONE || kindOf(pte) === ZERO) continue;
    if (kindOf(pte) !== PRESENT || (mem.flags[pfnOf(pte)] & ANON) === 0) return 'EINVAL';
    const folio = mem.folioOf(pfnOf(pte));
    const cached = (mem.flags[folio] & SWAPCACHE) !== 0 ? mem.pages(folio) : 0;
    if (m.folioLock.isLocked(folio) || mem.refcount[folio] !== totalMapcount(mem, folio) + cached) return 'EAGAIN';
  }
  return 'done';
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
