import { ANON, EXCLUSIVE as PAGE_EXCLUSIVE } from '../folio/mem-map.js';
import type { Machine } from '../machine.js';
import type { Op } from '../sync/op.js';
import { addressOf, pageOf, type Vpn } from '../units.js';
import { VM_SHARED } from '../vma/vm-flags.js';
import type { VmArea } from '../vma/vma.js';
import { ENTRIES, PAGES_PER_LEAF, type Table } from './page-table.js';
import { DIRTY, EXCLUSIVE, kindOf, NONE, PRESENT, WRITE, YOUNG } from './pte.js';

/** Copies the entries of `parent` to `child`, a table at a time, and write-protects both where memory is private (copy_page_range). @throws NoMemory, what was copied stays */
export function* copyPageRange(m: Machine, child: VmArea, parent: VmArea): Op<void> {
  const from = parent.mm.pgd;
  const last = pageOf(parent.end);
  for (let vpn = m.tables.nextLeaf(from, pageOf(parent.start), last); vpn < last; ) {
    const stop = Math.min((Math.floor(vpn / PAGES_PER_LEAF) + 1) * PAGES_PER_LEAF, last) as Vpn;
    if (m.rmap.reserve) {
      const work = m.rmap.reserve(stop - vpn);
      if (work) yield* work;
    }
    const to = m.tables.allocLeaf(child.mm.pgd, vpn);
    yield* copyLeaf(m, child, parent, to, m.tables.leaf(from, vpn), vpn, stop);
    vpn = m.tables.nextLeaf(from, stop, last);
  }
}

function* copyLeaf(m: Machine, child: VmArea, parent: VmArea, to: Table, from: Table, vpn: Vpn, stop: Vpn): Op<void> {
  const slot = vpn & (ENTRIES - 1);
  yield* m.ptl.lock(to);
  yield* m.ptl.lock(from);
  if (m.rmap.mapping) {
    const at = addressOf(vpn);
    const source = m.fromSpan.ofTable(parent, at, stop - vpn, from, slot);
    const work = m.rmap.mapping(m.span.ofPlace(child, at, stop - vpn), 'fork', source);
    if (work) yield* work;
  }
  if (m.sync.stepping) yield { kind: 'pte', object: child.mm, label: 'fork' };
  copyEntries(m, to * ENTRIES + slot, from * ENTRIES + slot, stop - vpn, (parent.flags & VM_SHARED) === 0);
  m.ptl.unlock(from);
  m.ptl.unlock(to);
}

/** The loop under both locks: counts up, exclusivity off, both sides read-only, the child's side old. */
function copyEntries(m: Machine, to: number, from: number, count: number, isPrivate: boolean): void {
  const { entries } = m.tables;
  const { mapcount, refcount, flags } = m.mem;
  const keep = isPrivate ? ~WRITE : -1;
  for (let i = 0; i < count; i++) {
    const pte = entries[from + i];
    if (pte === NONE) continue;
    if (kindOf(pte) !== PRESENT) {
      const shared = pte & ~EXCLUSIVE;
      entries[from + i] = shared;
      entries[to + i] = shared;
      continue;
    }
    const pfn = pte >>> 8;
    mapcount[pfn]++;
    refcount[pfn]++;
    if ((flags[pfn] & ANON) !== 0) flags[pfn] &= ~PAGE_EXCLUSIVE;
    const shared = pte & keep;
    entries[from + i] = shared;
    entries[to + i] = isPrivate ? shared & ~YOUNG : shared & ~(YOUNG | DIRTY);
  }
}
