import { unmapLargePte, unmapPmd } from '../folio/deferred-split.js';
import { LARGE } from '../folio/mem-map.js';
import { mlockEntries, munlockVmaFolio } from '../folio/mlock.js';
import type { Machine } from '../machine.js';
import { freeSwapEntry } from '../reclaim/swap.js';
import { type Op, READY } from '../sync/op.js';
import { type Address, addressOf, type Folio, pageOf, type Vpn } from '../units.js';
import { VM_LOCKED } from '../vma/vm-flags.js';
import type { VmArea } from '../vma/vma.js';
import { freeEmptyLeaf } from './free-empty.js';
import { type Frames, freeGathered } from './free-gathered.js';
import { ENTRIES, PAGES_PER_LEAF, type Table } from './page-table.js';
import { GUARD, isMapping, kindOf, NONE, PRESENT, type Pte, payloadOf, pfnOf, SWAP } from './pte.js';
import { splitPmd } from './split-pmd.js';

/** Frames whose mapping was just cleared: their references are dropped after the page-table lock (mmu_gather). */
const gather = new Int32Array(PAGES_PER_LEAF);
/** Swap slots of entries that were just cleared. */
const gatheredSlots: number[] = [];

/**
 * Why entries are cleared: the memory is `unmapped`; it is `unwanted` (MADV_DONTNEED), which gives empty leaf tables back
 * (zap_details.reclaim_pt); or it makes room for `guards`. Guard markers go only where all is unmapped (ZAP_FLAG_DROP_MARKER).
 */
type Reason = 'unmapped' | 'unwanted' | 'guards';

/** Clears the entries of [start, end) of `vma` and drops the pages they map (unmap_page_range). */
export function zapRange(m: Machine, vma: VmArea, start: Address, end: Address, reason: Reason = 'unmapped'): Op<void> {
  const vpn = pageOf(start);
  const last = pageOf(end);
  const leaf = vma.mm.leaf(vpn);
  if (leaf === 0 && m.tables.nextLeaf(vma.mm.pgd, vpn, last) >= last) return READY;
  const oneTable = leaf !== 0 && last <= (Math.floor(vpn / PAGES_PER_LEAF) + 1) * PAGES_PER_LEAF;
  const wholeTable = reason === 'unwanted' && last - vpn >= PAGES_PER_LEAF;
  return oneTable && !wholeTable
    ? zapLeaf(m, vma, leaf, vpn, last, reason === 'unmapped')
    : zapTables(m, vma, start, end, reason);
}

function* zapTables(m: Machine, vma: VmArea, start: Address, end: Address, reason: Reason): Op<void> {
  const { pgd } = vma.mm;
  const last = pageOf(end);
  for (let vpn = pageOf(start); vpn < last; ) {
    let leaf = vma.mm.leaf(vpn);
    if (leaf === 0) {
      vpn = m.tables.nextLeaf(pgd, vpn, last);
      if (vpn >= last) return;
    }
    const stop = Math.min((Math.floor(vpn / PAGES_PER_LEAF) + 1) * PAGES_PER_LEAF, last) as Vpn;
    if (leaf === 0 && m.tables.huge(pgd, vpn) !== 0) {
      if (stop - vpn === PAGES_PER_LEAF) yield* zapPmd(m, vma, vpn);
      else yield* splitPmd(m, vma, vpn);
    }
    if (leaf === 0) leaf = m.tables.leaf(pgd, vpn);
    if (leaf !== 0) yield* zapLeaf(m, vma, leaf, vpn, stop, reason === 'unmapped');
    if (leaf !== 0 && reason === 'unwanted' && stop - vpn === PAGES_PER_LEAF) yield* freeEmptyLeaf(m, vma.mm, vpn);
    vpn = stop;
  }
}

function zapLeaf(m: Machine, vma: VmArea, leaf: Table, from: Vpn, to: Vpn, guards: boolean): Op<void> {
  if (m.sync.stepping || m.rmap.unmapped !== undefined) return zapUnderLock(m, vma, leaf, from, to, guards);
  m.ptl.stats.writes++;
  if ((vma.flags & VM_LOCKED) !== 0) mlockEntries(m, leaf, from, to, false);
  const first = leaf * ENTRIES + (from & (ENTRIES - 1));
  const count = clearEntries(m, vma.mm.id, first, first + (to - from), guards, gather, gatheredSlots);
  if (gatheredSlots.length > 0) return flush(m, gather, count, gatheredSlots);
  return count > 0 ? freeGathered(m, gather, count) : READY;
}

function* zapUnderLock(m: Machine, vma: VmArea, leaf: Table, from: Vpn, to: Vpn, guards: boolean): Op<void> {
  const slot = from & (ENTRIES - 1);
  yield* m.ptl.lock(leaf);
  if (m.sync.stepping) yield { kind: 'pte', object: vma.mm, label: 'zap' };
  // Others look between steps: what the strategy takes out of its records and the entry itself must go in one.
  if (m.rmap.unmapped) {
    const work = m.rmap.unmapped(m.span.ofTable(vma, addressOf(from), to - from, leaf, slot));
    if (work) yield* work;
  }
  // In stepping mode another task may zap between this one's loop and its flush, so each keeps its own frames.
  const pages = m.sync.stepping ? [] : gather;
  const slots = m.sync.stepping ? [] : gatheredSlots;
  if ((vma.flags & VM_LOCKED) !== 0) mlockEntries(m, leaf, from, to, false);
  const count = clearEntries(m, vma.mm.id, leaf * ENTRIES + slot, leaf * ENTRIES + slot + (to - from), guards, pages, slots);
  m.ptl.unlock(leaf);
  yield* flush(m, pages, count, slots);
}

/** Drops what a loop under the lock gathered (tlb_finish_mmu). */
function* flush(m: Machine, pages: Frames, count: number, slots: number[]): Op<void> {
  if (count > 0) yield* freeGathered(m, pages, count);
  if (slots.length === 0) return;
  for (const slot of slots) yield* freeSwapEntry(m, slot);
  slots.length = 0;
}

/** The loop under the lock; how many frames it gathered. */
function clearEntries(
  m: Machine,
  mm: number,
  first: number,
  last: number,
  guards: boolean,
  pages: Frames,
  slots: number[],
): number {
  const entries = m.tables.writeRange(first, last - first);
  const { mem } = m;
  const { mapcount, flags } = mem;
  let count = 0;
  for (let at = first; at < last; at++) {
    const pte: Pte = entries[at];
    if (pte === NONE) continue;
    const kind = kindOf(pte);
    if (kind === GUARD && !guards) continue;
    entries[at] = NONE;
    if (kind === SWAP) slots.push(payloadOf(pte));
    if (kind !== PRESENT) continue;
    const pfn = pfnOf(pte);
    if ((flags[pfn] & LARGE) === 0) {
      mapcount[pfn]--;
      pages[count++] = pfn;
    } else {
      unmapLargePte(m, pfn, mm);
      pages[count++] = mem.folioOf(pfn);
    }
  }
  return count;
}

/** Clears the PMD entry that maps the 512 pages from `vpn`, and frees the table that was put by for it, unless it was split meanwhile (zap_huge_pmd). */
function* zapPmd(m: Machine, vma: VmArea, vpn: Vpn): Op<void> {
  const { tables } = m;
  const at = tables.huge(vma.mm.pgd, vpn);
  const lock = Math.floor(at / ENTRIES);
  yield* m.ptl.lock(lock);
  if (tables.huge(vma.mm.pgd, vpn) !== at) {
    m.ptl.unlock(lock);
    return;
  }
  const pmd = tables.entries[at];
  const present = kindOf(pmd) === PRESENT;
  if (m.sync.stepping) yield { kind: 'pte', object: vma.mm, label: 'zap' };
  if (m.rmap.unmapped && isMapping(pmd)) {
    const work = m.rmap.unmapped(m.span.ofPmd(vma, addressOf(vpn), pfnOf(pmd)));
    if (work) yield* work;
  }
  tables.writePmd(at)[at] = NONE;
  tables.free(tables.withdraw(at));
  const folio = pfnOf(pmd) as number as Folio;
  if (present) {
    unmapPmd(m, folio, vma.mm.id);
    munlockVmaFolio(m, folio, vma);
  }
  m.ptl.unlock(lock);
  if (present) yield* freeGathered(m, [pfnOf(pmd)], 1);
}
