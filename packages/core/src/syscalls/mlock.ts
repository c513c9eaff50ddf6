import { KernelError, NoMemory } from '../errors.js';
import { populate } from '../fault/populate.js';
import { mlockRange } from '../folio/mlock.js';
import type { Machine } from '../machine.js';
import type { Mm } from '../mm/mm.js';
import { startWrite } from '../mm/vma-lock.js';
import type { Op } from '../sync/op.js';
import { type Address, alignDown, alignUp } from '../units.js';
import { modifyVma } from '../vma/merge.js';
import { VM_DROPPABLE, VM_LOCKED, VM_SPECIAL, VM_STICKY } from '../vma/vm-flags.js';
import type { VmArea } from '../vma/vma.js';

/**
 * mlock(2): marks the pages of a range as locked and faults them in (do_mlock). @throws ENOMEM for a hole, at the VMA limit, without memory
 * for a VMA, or when a touch would get a signal; EAGAIN without memory for a page: what was marked stays so
 */
export function* mlock(m: Machine, mm: Mm, start: Address, length: number): Op<void> {
  const [first, end] = range(start, length, 'mlock');
  if (first === end) return;
  yield* lockRange(m, mm, first, end, true);
  try {
    yield* populate(m, mm, first, end);
  } catch (error) {
    // __mlock_posix_error_return
    if (error instanceof NoMemory) throw new KernelError('EAGAIN', 'mlock', error.reason);
    throw error;
  }
}

/** munlock(2). @throws ENOMEM for a hole or at the VMA limit, keeping what was done before */
export function* munlock(m: Machine, mm: Mm, start: Address, length: number): Op<void> {
  const [first, end] = range(start, length, 'munlock');
  if (first !== end) yield* lockRange(m, mm, first, end, false);
}

function range(start: Address, length: number, call: string): [Address, Address] {
  const first = alignDown(start) as Address;
  const end = (first + alignUp(length + (start - first))) as Address;
  if (!Number.isSafeInteger(end) || end < first) throw new KernelError('EINVAL', call, `a length of ${length} overflows`);
  return [first, end];
}

function* lockRange(m: Machine, mm: Mm, start: Address, end: Address, lock: boolean): Op<void> {
  yield* mm.mmapLock.write();
  try {
    let at = start;
    while (at < end) {
      const vma = mm.tree.lookup(at);
      if (vma === null) throw new KernelError('ENOMEM', lock ? 'mlock' : 'munlock', `nothing is mapped at 0x${at.toString(16)}`);
      const stop = Math.min(vma.end, end) as Address;
      yield* lockVma(m, vma, at, stop, lock);
      at = stop;
    }
  } finally {
    mm.writeUnlock();
  }
}

/** One VMA's part (mlock_fixup). */
function* lockVma(m: Machine, vma: VmArea, start: Address, end: Address, lock: boolean): Op<void> {
  const flags = lock ? vma.flags | VM_LOCKED : vma.flags & ~VM_LOCKED;
  if (flags === vma.flags || (vma.flags & (VM_SPECIAL | VM_DROPPABLE)) !== 0) return;
  const changed = yield* modifyVma(m, { middle: vma, start, end, flags });
  yield* startWrite(m, changed);
  changed.flags = flags | (changed.flags & VM_STICKY);
  yield* mlockRange(m, changed, start, end);
}
