import { putPage } from '../folio/free.js';
import { ANON, EXCLUSIVE, KSM, LARGE, LOCKED, PMD_ORDER, SWAPBACKED, SWAPCACHE } from '../folio/mem-map.js';
import type { Machine } from '../machine.js';
import type { Mm } from '../mm/mm.js';
import { ENTRIES, type Table } from '../page-table/page-table.js';
import { DIRTY, kindOf, NONE, PRESENT, type Pte, pfnOf, WRITE, YOUNG } from '../page-table/pte.js';
import { finish, type Soon } from '../sync/op.js';
import { type Address, addressOf, type Folio, type Pfn, type Vpn } from '../units.js';
import { VM_ACCESS_FLAGS, VM_DROPPABLE, VM_GROWSDOWN, VM_LOCKED, VM_WRITE } from '../vma/vm-flags.js';
import type { VmArea } from '../vma/vma.js';
import { freshPte } from './anonymous.js';
import { checkAccess, noVma } from './fault.js';
import { suitableStart } from './thp.js';
import { isOnlyUser, mayWrite } from './wp.js';

/**
 * The common touches as plain functions: a page that is there and allows the access, the first write to anonymous memory, a write to
 * a small page that fork left read-only, and what is refused. False: nothing happened that {@link touch} minds, let it do it.
 * Sequential mode only. @throws SegmentationFault, NoMemory
 */
export function touchFast(m: Machine, mm: Mm, address: Address, write: boolean): boolean {
  let vma = mm.lastVma;
  if (vma === null || address < vma.start || address >= vma.end) {
    vma = mm.tree.lookup(address);
    if (vma === null) return nothingThere(m, mm, address, write);
    mm.lastVma = vma;
  }
  if ((vma.flags & (write ? VM_WRITE : VM_ACCESS_FLAGS)) === 0) {
    m.vmaLock.reads++;
    checkAccess(vma, address, write);
  }
  const vpn = Math.floor(address / 4096) as Vpn;
  const leaf = mm.leaf(vpn) || (write ? firstLeaf(m, vma, address, vpn) : 0);
  if (leaf === 0) return false;
  const at = leaf * ENTRIES + (vpn & (ENTRIES - 1));
  const { entries } = m.tables;
  const pte = entries[at];
  if (pte === NONE) {
    if (!write || !takesAnonymousPage(m, vma) || !(vma.faulted || prepare(m, vma))) return false;
    // `mapNew` by hand: a call of it would take a fifth of the time of a first touch.
    const { mem } = m;
    const pfn = mem.alloc();
    mem.flags[pfn] = ANON | EXCLUSIVE | SWAPBACKED;
    mem.index[pfn] = vma.anonPgoff + (vpn - vma.start / 4096);
    const anchored = m.rmap.anchor(pfn as number as Folio, vma, 'new');
    if (anchored) finishAtomic(m, anchored);
    mem.mapcount[pfn] = 1;
    if (m.rmap.mapping !== undefined) finishAtomic(m, m.rmap.mapping(m.span.ofPage(vma, addressOf(vpn), pfn), 'new', null));
    m.vmaLock.reads++;
    m.ptl.stats.writes++;
    m.tables.write(at)[at] = freshPte(vma, pfn);
    mem.version[pfn] = ++m.writes;
    return true;
  }
  if (kindOf(pte) !== PRESENT) return false;
  if (!write) m.tables.write(at)[at] = pte | YOUNG;
  else if ((pte & WRITE) !== 0) writeTo(m, at, pte);
  else return writeProtectedFast(m, vma, vpn, leaf, pte);
  return true;
}

/** The end of {@link touch}, unless a stack may grow down to `address`. @throws SegmentationFault */
function nothingThere(m: Machine, mm: Mm, address: Address, write: boolean): false {
  const above = mm.tree.find(address);
  const stack = above !== null && (above.flags & VM_GROWSDOWN) !== 0 ? above : null;
  if (stack !== null && !(stack.faulted && stack.end - address > m.options.stackLimit)) return false;
  finish(mm.mmapLock.read());
  mm.mmapLock.readUnlock();
  finish(mm.mmapLock.write());
  mm.writeUnlock();
  throw noVma(mm, address, write);
}

/** Whether a new page of `vma` takes nothing but the page, once the VMA had its first fault. */
const takesOnePage = (m: Machine, vma: VmArea): boolean =>
  (vma.flags & (VM_LOCKED | VM_DROPPABLE)) === 0 && m.rmap.reserve === undefined;

/** The same for a first write. */
const takesAnonymousPage = (m: Machine, vma: VmArea): boolean => vma.file === null && !m.largeFaults && takesOnePage(m, vma);

/** A leaf table for a first write; 0: a folio of PMD size is there or may come. @throws NoMemory */
function firstLeaf(m: Machine, vma: VmArea, address: Address, vpn: Vpn): Table {
  if (!takesAnonymousPage(m, vma) || suitableStart(vma, address, PMD_ORDER) !== null) return 0;
  return m.tables.allocLeaf(vma.mm.pgd, vpn);
}

/** {@link prepareFault}; false: mmap_lock is in use. @throws NoMemory */
function prepare(m: Machine, vma: VmArea): boolean {
  const { mmapLock } = vma.mm;
  if (m.prepareNeedsMmapLock && !mmapLock.tryRead()) return false;
  try {
    finish(m.rmap.prepare(vma));
    vma.faulted = true;
  } finally {
    if (m.prepareNeedsMmapLock) mmapLock.readUnlock();
  }
  return true;
}

/** The store itself: the processor's accessed and dirty bits, and new contents. */
function writeTo(m: Machine, at: number, pte: Pte): void {
  m.tables.write(at)[at] = pte | YOUNG | DIRTY;
  m.mem.version[pfnOf(pte)] = ++m.writes;
}

/** {@link writeProtected} for a small page that nobody else is busy with, and the write. @throws NoMemory */
function writeProtectedFast(m: Machine, vma: VmArea, vpn: Vpn, leaf: Table, pte: Pte): boolean {
  const pfn = pfnOf(pte);
  if ((m.mem.flags[pfn] & (ANON | LARGE | KSM | SWAPCACHE | LOCKED)) !== ANON || vma.shared) return false;
  if (mayWrite(m, pfn) || isOnlyUser(m, pfn)) {
    m.ptl.lock(leaf);
    if (!mayWrite(m, pfn)) reuseFast(m, vma, pfn);
    writeTo(m, leaf * ENTRIES + (vpn & (ENTRIES - 1)), pte | WRITE);
    m.ptl.unlock(leaf);
  } else {
    if (!vma.faulted || !takesOnePage(m, vma)) return false;
    copyFast(m, vma, vpn, leaf, pfn);
  }
  m.vmaLock.reads++;
  return true;
}

function reuseFast(m: Machine, vma: VmArea, pfn: Pfn): void {
  const folio = pfn as number as Folio;
  m.folioLock.tryLock(folio);
  finish(m.rmap.anchor(folio, vma, 'reuse'));
  m.mem.flags[pfn] |= EXCLUSIVE;
  m.folioLock.unlock(folio);
}

/** Nothing can come between the two looks that {@link writeProtected} takes at the entry, each under the lock. @throws NoMemory */
function copyFast(m: Machine, vma: VmArea, vpn: Vpn, leaf: Table, old: Pfn): void {
  const { mem } = m;
  const copy = mem.alloc();
  m.ptl.stats.writes++;
  m.ptl.lock(leaf);
  mapNew(m, vma, vpn, copy);
  mem.mapcount[old]--;
  if (m.rmap.unmapped !== undefined) finish(m.rmap.unmapped(m.span.ofPage(vma, addressOf(vpn), old)));
  writeTo(m, leaf * ENTRIES + (vpn & (ENTRIES - 1)), freshPte(vma, copy));
  m.ptl.unlock(leaf);
  if (mem.refcount[old] > 1) mem.refcount[old]--;
  else finish(putPage(m, old));
}

/** {@link mapNewPage}, all but the entry. */
function mapNew(m: Machine, vma: VmArea, vpn: Vpn, pfn: Pfn): void {
  const { mem } = m;
  mem.flags[pfn] = ANON | EXCLUSIVE | SWAPBACKED;
  mem.index[pfn] = vma.anonPgoff + (vpn - vma.start / 4096);
  finish(m.rmap.anchor(pfn as number as Folio, vma, 'new'));
  mem.mapcount[pfn] = 1;
  if (m.rmap.mapping !== undefined) finish(m.rmap.mapping(m.span.ofPage(vma, addressOf(vpn), pfn), 'new', null));
}

/** Finishes a hook as if the page-table lock were held that a first touch can do without: who must not sleep there is found here too. */
function finishAtomic(m: Machine, work: Soon<void>): void {
  const { current } = m.sync;
  current.atomic++;
  try {
    finish(work);
  } finally {
    current.atomic--;
  }
}
