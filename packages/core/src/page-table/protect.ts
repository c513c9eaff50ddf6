import { ANON, EXCLUSIVE } from '../folio/mem-map.js';
import type { Machine } from '../machine.js';
import { type Op, READY } from '../sync/op.js';
import { type Address, pageOf, type Vpn } from '../units.js';
import { VM_WRITE } from '../vma/vm-flags.js';
import type { VmArea } from '../vma/vma.js';
import { ENTRIES, PAGES_PER_LEAF, type Table } from './page-table.js';
import { kindOf, MIGRATION, NONE, PRESENT, pfnOf, TABLE, WRITE } from './pte.js';
import { splitPmd } from './split-pmd.js';

/** Gives the entries of [start, end) the protection that `vma` has now; exclusive pages become writable early (change_protection). */
export function changeProtection(m: Machine, vma: VmArea, start: Address, end: Address): Op<void> {
  const vpn = pageOf(start);
  const last = pageOf(end);
  const leaf = vma.mm.leaf(vpn);
  if (leaf === 0 && m.tables.nextLeaf(vma.mm.pgd, vpn, last) >= last) return READY;
  const oneTable = leaf !== 0 && last <= (Math.floor(vpn / PAGES_PER_LEAF) + 1) * PAGES_PER_LEAF;
  return oneTable ? protectLeaf(m, vma, leaf, vpn, last) : protectTables(m, vma, vpn, last);
}

function* protectTables(m: Machine, vma: VmArea, first: Vpn, last: Vpn): Op<void> {
  const { pgd } = vma.mm;
  for (let vpn = first; vpn < last; ) {
    let leaf = vma.mm.leaf(vpn);
    if (leaf === 0) {
      vpn = m.tables.nextLeaf(pgd, vpn, last);
      if (vpn >= last) return;
    }
    const stop = Math.min((Math.floor(vpn / PAGES_PER_LEAF) + 1) * PAGES_PER_LEAF, last) as Vpn;
    if (leaf === 0) {
      const huge = m.tables.huge(pgd, vpn);
      const whole = huge !== 0 && stop - vpn === PAGES_PER_LEAF;
      if (whole && (yield* protectPmd(m, huge, (vma.flags & VM_WRITE) !== 0))) {
        vpn = stop;
        continue;
      }
      yield* splitPmd(m, vma, vpn);
      leaf = m.tables.leaf(pgd, vpn);
    }
    yield* protectLeaf(m, vma, leaf, vpn, stop);
    vpn = stop;
  }
}

function protectLeaf(m: Machine, vma: VmArea, leaf: Table, from: Vpn, to: Vpn): Op<void> {
  if (m.sync.stepping) return protectStepping(m, vma, leaf, from, to);
  m.ptl.stats.writes++;
  protectEntries(m, vma, leaf * ENTRIES + (from & (ENTRIES - 1)), to - from);
  return READY;
}

function* protectStepping(m: Machine, vma: VmArea, leaf: Table, from: Vpn, to: Vpn): Op<void> {
  yield* m.ptl.lock(leaf);
  yield { kind: 'pte', object: vma.mm, label: 'protect' };
  protectEntries(m, vma, leaf * ENTRIES + (from & (ENTRIES - 1)), to - from);
  m.ptl.unlock(leaf);
}

function protectEntries(m: Machine, vma: VmArea, first: number, count: number): void {
  if ((vma.flags & VM_WRITE) !== 0) makeWritable(m, vma, first, count);
  else makeReadOnly(m, first, count);
}

/** change_huge_pmd: the exclusivity of a folio mapped as a whole is that of its first page. False: the entry was split meanwhile. */
function* protectPmd(m: Machine, at: number, writable: boolean): Op<boolean> {
  yield* m.ptl.lock(Math.floor(at / ENTRIES));
  const entries = m.tables.writePmd(at);
  const pmd = entries[at];
  if (kindOf(pmd) === MIGRATION) entries[at] = pmd & ~WRITE;
  if (kindOf(pmd) === PRESENT) {
    const own = (m.mem.flags[pfnOf(pmd)] & EXCLUSIVE) !== 0;
    entries[at] = writable && own ? pmd | WRITE : writable ? pmd : pmd & ~WRITE;
  }
  m.ptl.unlock(Math.floor(at / ENTRIES));
  return kindOf(pmd) !== TABLE;
}

function makeReadOnly(m: Machine, first: number, count: number): void {
  const entries = m.tables.writeRange(first, count);
  for (let at = first; at < first + count; at++) {
    const kind = kindOf(entries[at]);
    // A writable migration entry is exclusive, and stays so.
    if (entries[at] !== NONE && (kind === PRESENT || kind === MIGRATION)) entries[at] &= ~WRITE;
  }
}

/** can_change_pte_writable: shared memory, and private pages that nobody else can see. */
function makeWritable(m: Machine, vma: VmArea, first: number, count: number): void {
  const entries = m.tables.writeRange(first, count);
  const { flags } = m.mem;
  const own = ANON | EXCLUSIVE;
  for (let at = first; at < first + count; at++) {
    const pte = entries[at];
    if (kindOf(pte) === MIGRATION) entries[at] = pte & ~WRITE; // whatever the VMA allows: it comes back read-only and exclusive
    if (kindOf(pte) !== PRESENT) continue;
    if (vma.shared || (flags[pte >>> 8] & own) === own) entries[at] = pte | WRITE;
  }
}
