import { putPages } from '../folio/free.js';
import { SWAPBACKED } from '../folio/mem-map.js';
import type { Machine } from '../machine.js';
import type { Op } from '../sync/op.js';
import { type Address, addressOf, pageOf, type Vpn } from '../units.js';
import type { VmArea } from '../vma/vma.js';
import { ENTRIES, PAGES_PER_LEAF, type Table } from './page-table.js';
import { DIRTY, GUARD, kindOf, NONE, PRESENT, type Pte, pfnOf } from './pte.js';

/** Frames whose mapping was just cleared: their references are dropped after the page-table lock (mmu_gather). */
const gather = new Int32Array(PAGES_PER_LEAF);

/** Clears the entries of [start, end) of `vma` and drops the pages they map (unmap_page_range). Guard markers go only if `guards`. */
export function* zapRange(m: Machine, vma: VmArea, start: Address, end: Address, guards = true): Op<void> {
  const { pgd } = vma.mm;
  const last = pageOf(end);
  for (let vpn = m.tables.nextLeaf(pgd, pageOf(start), last); vpn < last; ) {
    const stop = Math.min((Math.floor(vpn / PAGES_PER_LEAF) + 1) * PAGES_PER_LEAF, last) as Vpn;
    const leaf = m.tables.leaf(pgd, vpn);
    if (leaf !== 0) yield* zapLeaf(m, vma, leaf, vpn, stop, guards);
    vpn = m.tables.nextLeaf(pgd, stop, last);
  }
}

function* zapLeaf(m: Machine, vma: VmArea, leaf: Table, from: Vpn, to: Vpn, guards: boolean): Op<void> {
  const slot = from & (ENTRIES - 1);
  yield* m.ptl.lock(leaf);
  if (m.rmap.unmapped) {
    const work = m.rmap.unmapped(m.span.ofTable(vma, addressOf(from), to - from, leaf, slot));
    if (work) yield* work;
  }
  if (m.sync.stepping) yield { kind: 'pte', object: vma.mm, label: 'zap' };
  // In stepping mode another task may zap between this one's loop and its flush, so each keeps its own frames.
  const pages = m.sync.stepping ? new Int32Array(PAGES_PER_LEAF) : gather;
  const count = clearEntries(m, leaf * ENTRIES + slot, leaf * ENTRIES + slot + (to - from), guards, pages);
  m.ptl.unlock(leaf);
  yield* putPages(m, pages, count);
}

/** The loop under the lock; how many frames it gathered. */
function clearEntries(m: Machine, first: number, last: number, guards: boolean, pages: Int32Array): number {
  const { entries } = m.tables;
  const { mapcount } = m.mem;
  let count = 0;
  for (let at = first; at < last; at++) {
    const pte: Pte = entries[at];
    if (pte === NONE) continue;
    const kind = kindOf(pte);
    if (kind === GUARD && !guards) continue;
    entries[at] = NONE;
    if (kind !== PRESENT) continue;
    const pfn = pfnOf(pte);
    mapcount[pfn]--;
    pages[count++] = pfn;
  }
  return count;
}

/** Marks the anonymous pages of [start, end) as lazily freeable (madvise_free_pte_range). */
export function freeLazily(m: Machine, vma: VmArea, start: Address, end: Address, isAnon: (flags: number) => boolean): void {
  const { mem, tables } = m;
  const { pgd } = vma.mm;
  const last = pageOf(end);
  for (let vpn = tables.nextLeaf(pgd, pageOf(start), last); vpn < last; vpn = tables.nextLeaf(pgd, (vpn + 1) as Vpn, last)) {
    const at = tables.leaf(pgd, vpn) * ENTRIES + (vpn & (ENTRIES - 1));
    const pte = tables.entries[at];
    if (kindOf(pte) !== PRESENT) continue;
    const pfn = pfnOf(pte);
    if (!isAnon(mem.flags[pfn]) || mem.mapcount[pfn] !== 1) continue;
    mem.flags[pfn] &= ~SWAPBACKED;
    tables.entries[at] = pte & ~DIRTY;
  }
}
