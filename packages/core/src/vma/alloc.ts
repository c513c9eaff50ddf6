import type { Machine } from '../machine.js';
import type { Mm } from '../mm/mm.js';
import { andThen, type Op } from '../sync/op.js';
import type { Address, Pgoff } from '../units.js';
import type { VmArea } from './vma.js';

/** A VMA of `mm` that nothing refers to yet (vm_area_alloc). @throws NoMemory */
export function allocVma(m: Machine, mm: Mm): Op<VmArea> {
  return andThen(m.vmas.alloc(), (vma) => fresh(m, mm, vma));
}

function fresh(m: Machine, mm: Mm, vma: VmArea): VmArea {
  vma.id = m.newVmaId();
  vma.mm = mm;
  vma.flags = 0;
  vma.file = null;
  vma.faulted = false;
  vma.attached = false;
  vma.refs = 1;
  vma.zombie = false;
  vma.readers = 0;
  vma.writeLocked = false;
  return vma;
}

/** A copy of `vma` for `mm`, without anything of the strategy's (vm_area_dup). @throws NoMemory */
export function dupVma(m: Machine, mm: Mm, vma: VmArea): Op<VmArea> {
  return andThen(m.vmas.alloc(), (copy) => copyInto(fresh(m, mm, copy), vma));
}

function copyInto(copy: VmArea, vma: VmArea): VmArea {
  setRange(copy, vma.start, vma.end, vma.pgoff, vma.anonPgoff);
  copy.flags = vma.flags;
  copy.file = vma.file;
  return copy;
}

/** Sets range and offsets of a VMA that is in no tree (vma_set_range). */
export function setRange(vma: VmArea, start: Address, end: Address, pgoff: Pgoff, anonPgoff: Pgoff): void {
  vma.start = start;
  vma.end = end;
  vma.pgoff = pgoff;
  vma.anonPgoff = anonPgoff;
}

/** Frees a VMA that is in no tree; with references left it stays as a zombie until the last is put (vm_area_free). */
export function freeVma(m: Machine, vma: VmArea): void {
  vma.attached = false;
  vma.faulted = false;
  vma.mm.endWrite(vma);
  if (--vma.refs === 0) m.vmas.freeRcu(vma);
  else {
    vma.zombie = true;
    m.zombies++;
  }
}

/** Drops one reference that a strategy took; the last one frees a zombie. */
export function putVma(m: Machine, vma: VmArea): void {
  if (--vma.refs > 0) return;
  vma.zombie = false;
  m.zombies--;
  m.vmas.freeRcu(vma);
}
