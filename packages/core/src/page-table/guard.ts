import type { Machine } from '../machine.js';
import type { Op } from '../sync/op.js';
import { type Address, pageOf, type Vpn } from '../units.js';
import type { VmArea } from '../vma/vma.js';
import { ENTRIES } from './page-table.js';
import { GUARD, kindOf, makePte, NONE } from './pte.js';
import { zapRange } from './zap.js';

/** Replaces what is mapped in [start, end) by guard markers; a page that comes meanwhile goes, too, and markers that are there stay (madvise_guard_install). @throws NoMemory, keeping the markers set so far */
export function* installGuards(m: Machine, vma: VmArea, start: Address, end: Address): Op<void> {
  while (!(yield* setMarkers(m, vma, start, end))) yield* zapRange(m, vma, start, end, 'guards');
}

/** False: something is mapped there. */
function* setMarkers(m: Machine, vma: VmArea, start: Address, end: Address): Op<boolean> {
  const { tables } = m;
  const marker = makePte(GUARD, 0, 0);
  for (let vpn = pageOf(start); vpn < pageOf(end); vpn = (vpn + 1) as Vpn) {
    const leaf = tables.allocLeaf(vma.mm.pgd, vpn);
    if (leaf === 0) return false;
    yield* m.ptl.lock(leaf);
    const at = leaf * ENTRIES + (vpn & (ENTRIES - 1));
    const free = tables.entries[at] === NONE || tables.entries[at] === marker;
    if (free) tables.write(at)[at] = marker;
    m.ptl.unlock(leaf);
    if (!free) return false;
  }
  return true;
}

/** Takes guard markers away again; everything else stays (madvise_guard_remove). */
export function* removeGuards(m: Machine, vma: VmArea, start: Address, end: Address): Op<void> {
  const { pgd } = vma.mm;
  const last = pageOf(end);
  for (let vpn = m.tables.nextLeaf(pgd, pageOf(start), last); vpn < last; vpn = m.tables.nextLeaf(pgd, (vpn + 1) as Vpn, last)) {
    const leaf = m.tables.leaf(pgd, vpn);
    const at = leaf * ENTRIES + (vpn & (ENTRIES - 1));
    yield* m.ptl.lock(leaf);
    if (kindOf(m.tables.entries[at]) === GUARD) m.tables.write(at)[at] = NONE;
    m.ptl.unlock(leaf);
  }
}
