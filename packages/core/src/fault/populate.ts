import { KernelError, SegmentationFault } from '../errors.js';
import type { Machine } from '../machine.js';
import type { Mm } from '../mm/mm.js';
import type { Op } from '../sync/op.js';
import { type Address, PAGE_SIZE } from '../units.js';
import { VM_ACCESS_FLAGS, VM_SHARED, VM_WRITE } from '../vma/vm-flags.js';
import { touch } from './fault.js';

/**
 * Touches every page of [start, end) as mlock and MAP_POPULATE do (__mm_populate): writable private memory by write, all
 * else by read, unless `access` says which (true: write). @throws ENOMEM at the first page that can't be had, whatever came before stays
 */
export function* populate(m: Machine, mm: Mm, start: Address, end: Address, access?: boolean): Op<void> {
  for (let at: number = start; at < end; ) {
    const vma = mm.tree.find(at);
    if (vma === null || vma.start >= end) return;
    at = Math.max(at, vma.start);
    const stop = Math.min(end, vma.end);
    if ((vma.flags & VM_ACCESS_FLAGS) === 0) throw new KernelError('ENOMEM', 'populate', `${vma} may not be accessed`);
    const write = access ?? (vma.flags & (VM_WRITE | VM_SHARED)) === VM_WRITE;
    for (; at < stop; at += PAGE_SIZE) yield* populatePage(m, mm, at as Address, write);
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

function* populatePage(m: Machine, mm: Mm, at: Address, write: boolean): Op<void> {
  try {
    yield* touch(m, mm, at, write);
  } catch (error) {
    if (!(error instanceof SegmentationFault)) throw error;
    throw new KernelError('ENOMEM', 'populate', error.message);
  }
}
