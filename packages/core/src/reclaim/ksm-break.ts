import { copyWriteProtected } from '../fault/wp.js';
import { KSM } from '../folio/mem-map.js';
import type { Machine } from '../machine.js';
import { ENTRIES } from '../page-table/page-table.js';
import { DIRTY, kindOf, PRESENT, pfnOf, WRITE } from '../page-table/pte.js';
import type { Op } from '../sync/op.js';
import { type Address, addressOf, pageOf, type Vpn } from '../units.js';
import type { VmArea } from '../vma/vma.js';

/** Gives every page of KSM back to its owners as a copy, and lets go of all pins (`run` = 2, unmerge_and_remove_all_rmap_items). @throws NoMemory, what was done stays */
export function* ksmUnmerge(m: Machine): Op<void> {
  for (const mm of [...m.mms.values()]) {
    yield* mm.mmapLock.read();
    try {
      for (const vma of mm.tree) yield* breakKsm(m, vma, vma.start, vma.end);
    } finally {
      mm.mmapLock.readUnlock();
    }
  }
  yield* dropStale(m);
}

/** Gives every KSM page in [start, end) of `vma` back as a private copy, read-only and exclusive (break_ksm: a fault that unshares). @throws NoMemory, what was done stays */
export function* breakKsm(m: Machine, vma: VmArea, start: Address, end: Address): Op<void> {
  const { tables, mem } = m;
  const { pgd } = vma.mm;
  const last = pageOf(end);
  for (let vpn = tables.nextLeaf(pgd, pageOf(start), last); vpn < last; vpn = tables.nextLeaf(pgd, (vpn + 1) as Vpn, last)) {
    const leaf = tables.leaf(pgd, vpn);
    const at = leaf * ENTRIES + (vpn & (ENTRIES - 1));
    if (leaf === 0 || kindOf(tables.entries[at]) !== PRESENT || (mem.flags[pfnOf(tables.entries[at])] & KSM) === 0) continue;
    yield* copyWriteProtected(m, vma, addressOf(vpn), leaf);
    tables.entries[at] &= ~(WRITE | DIRTY);
  }
}

/** Lets go of the pins of pages that are gone. */
export function* dropStale(m: Machine): Op<void> {
  for (let item = m.ksm.stale.pop(); item !== undefined; item = m.ksm.stale.pop()) {
    const work = m.rmap.release(item.hold);
    if (work) yield* work;
  }
}
