import { copyWriteProtected } from '../fault/wp.js';
import { putPage } from '../folio/free.js';
import { KSM } from '../folio/mem-map.js';
import type { Machine } from '../machine.js';
import { ENTRIES, type Table } from '../page-table/page-table.js';
import { kindOf, PRESENT, pfnOf } from '../page-table/pte.js';
import type { Op } from '../sync/op.js';
import { type Address, addressOf, type Folio, type Pfn, pageOf, type Vpn } from '../units.js';
import { VM_MERGEABLE } from '../vma/vm-flags.js';
import type { VmArea } from '../vma/vma.js';
import type { RmapItem } from './ksm-state.js';

/**
 * Gives every page of KSM back to its owners as a copy, and lets go of all pins (`run` = 2, unmerge_and_remove_all_rmap_items). Memory that
 * is not marked MADV_MERGEABLE, because it was shared with one that is, keeps the page. @throws NoMemory, what was done stays
 */
export function* ksmUnmerge(m: Machine): Op<void> {
  for (const mm of [...m.mms.values()]) {
    yield* mm.mmapLock.read();
    try {
      for (const vma of mm.tree) if (mayMerge(vma)) yield* breakKsm(m, vma, vma.start, vma.end);
    } finally {
      mm.mmapLock.readUnlock();
    }
  }
  m.ksm.scans++;
  for (const page of [...m.ksm.stable.keys()]) yield* forgetItems(m, page);
  yield* dropStale(m);
}

/** Whether KSM looks into a VMA. */
export const mayMerge = (vma: VmArea): boolean => (vma.flags & VM_MERGEABLE) !== 0 && vma.faulted;

/** Gives every KSM page in [start, end) of `vma` back as a private copy, read-only and exclusive (break_ksm: faults that unshare). @throws NoMemory, what was done stays */
export function* breakKsm(m: Machine, vma: VmArea, start: Address, end: Address): Op<void> {
  const { tables } = m;
  const { pgd } = vma.mm;
  const last = pageOf(end);
  for (let vpn = tables.nextLeaf(pgd, pageOf(start), last); vpn < last; vpn = tables.nextLeaf(pgd, (vpn + 1) as Vpn, last)) {
    // Reclaim may clear the accessed bit under the copy, which is then no copy of what is there.
    for (let leaf = tables.leaf(pgd, vpn); isKsm(m, leaf, vpn); leaf = tables.leaf(pgd, vpn))
      yield* copyWriteProtected(m, vma, addressOf(vpn), leaf);
  }
}

function isKsm({ tables, mem }: Machine, leaf: Table, vpn: Vpn): boolean {
  if (leaf === 0) return false;
  const pte = tables.entries[leaf * ENTRIES + (vpn & (ENTRIES - 1))];
  return kindOf(pte) === PRESENT && (mem.flags[pfnOf(pte)] & KSM) !== 0;
}

/** Items of a page of KSM that are of no use any more go: those that this scan did not meet, or `goes` names (remove_rmap_item_from_tree). */
export function* forgetItems(m: Machine, page: Pfn, goes = (item: RmapItem): boolean => item.scan !== m.ksm.scans): Op<void> {
  const { stable, stale } = m.ksm;
  if (stable.get(page)?.some(goes) !== true) return;
  const folio = page as number as Folio;
  m.mem.refcount[page]++;
  if (!m.folioLock.tryLock(folio)) yield* m.folioLock.lock(folio); // walks go through the items under it
  const items = stable.get(page) as RmapItem[];
  stale.push(...items.filter(goes));
  stable.set(
    page,
    items.filter((item) => !goes(item)),
  );
  m.folioLock.unlock(folio);
  yield* putPage(m, page);
}

/** Lets go of the pins of pages that are gone. */
export function* dropStale(m: Machine): Op<void> {
  for (let item = m.ksm.stale.pop(); item !== undefined; item = m.ksm.stale.pop()) {
    const work = m.rmap.release(item.hold);
    if (work) yield* work;
  }
}
