import { ANON, EXCLUSIVE, SWAPBACKED } from '../folio/mem-map.js';
import type { Machine } from '../machine.js';
import type { Mm } from '../mm/mm.js';
import { ENTRIES } from '../page-table/page-table.js';
import { DIRTY, kindOf, NONE, PRESENT, WRITE, YOUNG } from '../page-table/pte.js';
import { finish } from '../sync/op.js';
import type { Address, Folio, Vpn } from '../units.js';
import { VM_ACCESS_FLAGS, VM_WRITE } from '../vma/vm-flags.js';
import { freshPte } from './anonymous.js';

/**
 * The two common touches as a plain function: a page that is there and allows the access, and the first write to anonymous
 * memory of a VMA that had its first fault. False: nothing happened, let {@link touch} do it. Sequential mode only.
 * @throws NoMemory
 */
export function touchFast(m: Machine, mm: Mm, address: Address, write: boolean): boolean {
  let vma = mm.lastVma;
  if (vma === null || address < vma.start || address >= vma.end) {
    vma = mm.tree.lookup(address);
    if (vma === null) return false;
    mm.lastVma = vma;
  }
  if ((vma.flags & (write ? VM_WRITE : VM_ACCESS_FLAGS)) === 0) return false;
  const vpn = Math.floor(address / 4096) as Vpn;
  const leaf = mm.leaf(vpn);
  if (leaf === 0) return false;
  const at = leaf * ENTRIES + (vpn & (ENTRIES - 1));
  const { entries } = m.tables;
  const pte = entries[at];
  const { mem } = m;
  if (pte === NONE) {
    if (!write || !vma.faulted || vma.file !== null || m.rmap.reserve !== undefined || m.largeFaults) return false;
    const pfn = mem.alloc();
    mem.flags[pfn] = ANON | EXCLUSIVE | SWAPBACKED;
    mem.index[pfn] = vma.anonPgoff + (vpn - vma.start / 4096);
    finish(m.rmap.anchor(pfn as number as Folio, vma, 'new'));
    mem.mapcount[pfn] = 1;
    if (m.rmap.mapping !== undefined) finish(m.rmap.mapping(m.span.ofPage(vma, (vpn * 4096) as Address, pfn), 'new', null));
    m.vmaLock.reads++;
    m.ptl.stats.writes++;
    entries[at] = freshPte(vma, pfn);
    mem.version[pfn] = ++m.writes;
    return true;
  }
  if (write) {
    if (kindOf(pte) !== PRESENT || (pte & WRITE) === 0) return false;
    entries[at] = pte | YOUNG | DIRTY;
    mem.version[pte >>> 8] = ++m.writes;
    return true;
  }
  if (kindOf(pte) !== PRESENT) return false;
  entries[at] = pte | YOUNG;
  return true;
}
