import { addPmd, addPte } from '../folio/mapcount.js';
import { ANON, LARGE, EXCLUSIVE as PAGE_EXCLUSIVE } from '../folio/mem-map.js';
import type { Machine } from '../machine.js';
import { type Op, READY } from '../sync/op.js';
import { addressOf, type Folio, type Pfn, pageOf, type Vpn } from '../units.js';
import { VM_SHARED } from '../vma/vm-flags.js';
import type { VmArea } from '../vma/vma.js';
import { ENTRIES, PAGES_PER_LEAF, type Table } from './page-table.js';
import {
  DIRTY,
  EXCLUSIVE,
  isMapping,
  kindOf,
  MIGRATION,
  NONE,
  PRESENT,
  payloadOf,
  pfnOf,
  SWAP,
  TABLE,
  WRITE,
  YOUNG,
} from './pte.js';

/** Copies the entries of `parent` to `child`, a table at a time, and write-protects both where memory is private (copy_page_range). @throws NoMemory, what was copied stays */
export function copyPageRange(m: Machine, child: VmArea, parent: VmArea): Op<void> {
  const vpn = pageOf(parent.start);
  const last = pageOf(parent.end);
  const from = parent.mm.leaf(vpn);
  if (from === 0 && m.tables.nextLeaf(parent.mm.pgd, vpn, last) >= last) return READY;
  const oneTable = from !== 0 && last <= (Math.floor(vpn / PAGES_PER_LEAF) + 1) * PAGES_PER_LEAF;
  if (!oneTable || m.rmap.reserve !== undefined) return copyTables(m, child, parent);
  return copyLeaf(m, child, parent, leafOf(m, child, vpn), from, vpn, last);
}

const leafOf = (m: Machine, { mm }: VmArea, vpn: Vpn): Table => mm.leaf(vpn) || m.tables.allocLeaf(mm.pgd, vpn);

function* copyTables(m: Machine, child: VmArea, parent: VmArea): Op<void> {
  const { pgd } = parent.mm;
  const last = pageOf(parent.end);
  for (let vpn = pageOf(parent.start); vpn < last; ) {
    let from = parent.mm.leaf(vpn);
    if (from === 0) {
      vpn = m.tables.nextLeaf(pgd, vpn, last);
      if (vpn >= last) return;
      from = parent.mm.leaf(vpn); // none: a PMD entry maps a folio
    }
    const stop = Math.min((Math.floor(vpn / PAGES_PER_LEAF) + 1) * PAGES_PER_LEAF, last) as Vpn;
    if (m.rmap.reserve) {
      const work = m.rmap.reserve(stop - vpn);
      if (work) yield* work;
    }
    if (from !== 0 || !(yield* copyPmd(m, child, parent, vpn))) {
      if (from === 0) from = m.tables.leaf(pgd, vpn);
      yield* copyLeaf(m, child, parent, leafOf(m, child, vpn), from, vpn, stop);
    }
    vpn = stop;
  }
}

function copyLeaf(m: Machine, child: VmArea, parent: VmArea, to: Table, from: Table, vpn: Vpn, stop: Vpn): Op<void> {
  if (m.sync.stepping || m.rmap.mapping !== undefined) return copyLeafUnderLocks(m, child, parent, to, from, vpn, stop);
  const slot = vpn & (ENTRIES - 1);
  m.ptl.stats.writes += 2;
  copyEntries(m, child.mm.id, to * ENTRIES + slot, from * ENTRIES + slot, stop - vpn, (parent.flags & VM_SHARED) === 0);
  return READY;
}

function* copyLeafUnderLocks(m: Machine, child: VmArea, parent: VmArea, to: Table, from: Table, vpn: Vpn, stop: Vpn): Op<void> {
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
  copyEntries(m, child.mm.id, to * ENTRIES + slot, from * ENTRIES + slot, stop - vpn, (parent.flags & VM_SHARED) === 0);
  m.ptl.unlock(from);
  m.ptl.unlock(to);
}

/** One PMD entry that maps a folio or the zero page, with a table put by for the child's (copy_huge_pmd); false: it was split meanwhile. @throws NoMemory */
function* copyPmd(m: Machine, child: VmArea, parent: VmArea, vpn: Vpn): Op<boolean> {
  const { tables, mem } = m;
  tables.allocPmd(child.mm.pgd, vpn);
  const spare = tables.alloc();
  const to = tables.pmdSlot(child.mm.pgd, vpn);
  const from = tables.huge(parent.mm.pgd, vpn);
  yield* m.ptl.lock(Math.floor(to / ENTRIES));
  yield* m.ptl.lock(Math.floor(from / ENTRIES));
  const pmd = tables.entries[from];
  if (kindOf(pmd) === TABLE) {
    m.ptl.unlock(Math.floor(from / ENTRIES));
    m.ptl.unlock(Math.floor(to / ENTRIES));
    tables.free(spare);
    return false;
  }
  const folio = pfnOf(pmd) as number as Folio;
  if (m.rmap.mapping && isMapping(pmd)) {
    const source = m.fromSpan.ofPmd(parent, addressOf(vpn), pfnOf(pmd), kindOf(pmd) === PRESENT);
    const work = m.rmap.mapping(m.span.ofPmd(child, addressOf(vpn), -1), 'fork', source);
    if (work) yield* work;
  }
  if (m.sync.stepping) yield { kind: 'pte', object: child.mm, label: 'fork' };
  if (kindOf(pmd) === PRESENT) {
    mem.refcount[folio]++;
    addPmd(mem, folio, child.mm.id);
    mem.flags[folio] &= ~PAGE_EXCLUSIVE;
  }
  const shared = pmd & ~(WRITE | EXCLUSIVE);
  tables.writePmd(from)[from] = shared;
  tables.writePmd(to)[to] = shared & ~YOUNG;
  tables.deposit(to, spare);
  m.ptl.unlock(Math.floor(from / ENTRIES));
  m.ptl.unlock(Math.floor(to / ENTRIES));
  return true;
}

/** The loop under both locks: counts up, exclusivity off, both sides read-only, the child's side old. */
function copyEntries(m: Machine, mm: number, to: number, from: number, count: number, isPrivate: boolean): void {
  m.tables.writeRange(to, count);
  const entries = m.tables.writeRange(from, count);
  const { mapcount, refcount, flags } = m.mem;
  const keep = isPrivate ? ~WRITE : -1;
  for (let i = 0; i < count; i++) {
    const pte = entries[from + i];
    if (pte === NONE) continue;
    if (kindOf(pte) !== PRESENT) {
      const shared = kindOf(pte) === MIGRATION ? pte & ~(EXCLUSIVE | WRITE) : pte & ~EXCLUSIVE;
      if (kindOf(pte) === SWAP) m.swap.counts[payloadOf(pte)]++;
      entries[from + i] = shared;
      entries[to + i] = shared;
      continue;
    }
    const pfn = pte >>> 8;
    if ((flags[pfn] & LARGE) === 0) {
      mapcount[pfn]++;
      refcount[pfn]++;
    } else {
      addPte(m.mem, pfn as Pfn, mm);
      refcount[m.mem.folioOf(pfn as Pfn)]++;
    }
    if ((flags[pfn] & ANON) !== 0) flags[pfn] &= ~PAGE_EXCLUSIVE;
    const shared = pte & keep;
    entries[from + i] = shared;
    entries[to + i] = isPrivate ? shared & ~YOUNG : shared & ~(YOUNG | DIRTY);
  }
}
