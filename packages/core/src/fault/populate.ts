import { KernelError, SegmentationFault } from '../errors.js';
import type { Machine } from '../machine.js';
import type { Mm } from '../mm/mm.js';
import type { Op } from '../sync/op.js';
import { type Address, PAGE_SIZE } from '../units.js';
import { VM_ACCESS_FLAGS, VM_READ, VM_SHARED, VM_WRITE } from '../vma/vm-flags.js';
import type { VmArea } from '../vma/vma.js';
import { touch, touchLocked } from './fault.js';

/**
 * Touches every page of [start, end) as mlock and MAP_POPULATE do (__mm_populate): writable private memory by write, all
 * else by read. @throws ENOMEM at the first page that can't be had, whatever came before stays
 */
export function* populate(m: Machine, mm: Mm, start: Address, end: Address): Op<void> {
  for (let at: number = start; at < end; ) {
    const vma = mm.tree.find(at);
    if (vma === null || vma.start >= end) return;
    at = Math.max(at, vma.start);
    const stop = Math.min(end, vma.end);
    if ((vma.flags & VM_ACCESS_FLAGS) === 0) throw new KernelError('ENOMEM', 'populate', `${vma} may not be accessed`);
    const write = (vma.flags & (VM_WRITE | VM_SHARED)) === VM_WRITE;
    for (; at < stop; at += PAGE_SIZE) yield* populatePage(m, mm, at as Address, write, 'ENOMEM');
  }
}

/** The same for a call that has succeeded by now: what can't be had is left to later faults. */
export function* populateQuietly(m: Machine, mm: Mm, start: Address, end: Address): Op<void> {
  try {
    yield* populate(m, mm, start, end);
  } catch (error) {
    if (!(error instanceof KernelError)) throw error;
  }
}

/**
 * MADV_POPULATE_READ and MADV_POPULATE_WRITE of [start, end) (madvise_populate). @throws at the first page that can't be had, whatever
 * came before stays: ENOMEM, nothing is mapped there; EINVAL, it may not be accessed so; EFAULT, a touch would get a signal
 */
export function* populateAdvised(m: Machine, mm: Mm, start: Address, end: Address, write: boolean): Op<void> {
  for (let at: number = start; at < end; at += PAGE_SIZE) {
    const vma = mm.tree.lookup(at);
    if (vma === null) throw new KernelError('ENOMEM', 'madvise', `nothing is mapped at 0x${at.toString(16)}`);
    if ((vma.flags & (write ? VM_WRITE : VM_READ)) === 0)
      throw new KernelError('EINVAL', 'madvise', `${vma} may not be accessed so`);
    yield* populatePage(m, mm, at as Address, write, 'EFAULT');
  }
}

/** Makes every page of [start, end) ready for a store, under mmap_lock; what can't be had is left to later faults (populate_vma_page_range in mprotect). */
export function* populateLocked(m: Machine, vma: VmArea, start: Address, end: Address): Op<void> {
  try {
    for (let at: number = start; at < end; at += PAGE_SIZE) yield* touchLocked(m, vma, at as Address);
  } catch (error) {
    if (!(error instanceof KernelError) && !(error instanceof SegmentationFault)) throw error;
  }
}

function* populatePage(m: Machine, mm: Mm, at: Address, write: boolean, errno: 'ENOMEM' | 'EFAULT'): Op<void> {
  try {
    yield* touch(m, mm, at, write, false);
  } catch (error) {
    if (!(error instanceof SegmentationFault)) throw error;
    throw new KernelError(errno, 'populate', error.message);
  }
}
