import { KernelError, NoMemory } from '../errors.js';
import type { Machine } from '../machine.js';
import type { Mm } from '../mm/mm.js';
import { startWrite } from '../mm/vma-lock.js';
import type { Op } from '../sync/op.js';
import { type Address, alignUp, PAGE_SIZE, type Pgoff, pageOf, TASK_SIZE } from '../units.js';
import { allocVma, setRange } from '../vma/alloc.js';
import { type MergeRange, mergeNewRange } from '../vma/merge.js';
import { STACK_GUARD_GAP } from '../vma/unmapped-area.js';
import { VM_ACCOUNT, VM_GROWSDOWN, VM_READ, VM_WRITE } from '../vma/vm-flags.js';
import { gatherVmas, unmapVmas } from './munmap.js';

/** brk(2): moves the end of the heap and answers where it is now; like the system call it does not fail, it stays where it was. */
export function* brk(m: Machine, mm: Mm, requested: Address): Op<Address> {
  yield* mm.mmapLock.write();
  try {
    if (requested < mm.startBrk || requested > TASK_SIZE) return mm.brk;
    const from = alignUp(mm.brk) as Address;
    const to = alignUp(requested) as Address;
    const moved = to < from ? yield* shrinkHeap(m, mm, to, from) : to === from || (yield* growHeap(m, mm, from, to));
    if (!moved) return mm.brk;
    mm.brk = requested;
    return requested;
  } catch (error) {
    if (error instanceof NoMemory || error instanceof KernelError) return mm.brk;
    throw error;
  } finally {
    mm.writeUnlock();
  }
}

/** Takes [from, to) from the heap; whether anything was mapped there. @throws NoMemory */
function* shrinkHeap(m: Machine, mm: Mm, from: Address, to: Address): Op<boolean> {
  const vmas = yield* gatherVmas(m, mm, from, to);
  yield* unmapVmas(m, mm, vmas);
  return vmas.length > 0;
}

/**
 * Adds [from, to) to the heap; it merges only with the VMA that ends there, unless that lies below the heap's first page
 * (vma_prev_limit, do_brk_flags). @throws NoMemory
 */
function* growHeap(m: Machine, mm: Mm, from: Address, to: Address): Op<boolean> {
  const next = mm.tree.find(from);
  if (next !== null && to + PAGE_SIZE > next.start - ((next.flags & VM_GROWSDOWN) !== 0 ? STACK_GUARD_GAP : 0)) return false;
  if (mm.mapCount > m.options.maxMapCount) return false;
  const flags = VM_READ | VM_WRITE | VM_ACCOUNT;
  const prev = next === null ? mm.tree.last() : mm.tree.prev(next);
  const pgoff = pageOf(from) as number as Pgoff;
  const range: MergeRange = { mm, prev, next: null, start: from, end: to, pgoff, anonPgoff: pgoff, flags, file: null };
  const heap =
    prev !== null && prev.end === from && from > mm.startBrk ? yield* mergeNewRange(m, range, null, 'new', true) : null;
  if (heap !== null) return true;
  const vma = yield* allocVma(m, mm);
  setRange(vma, from, to, pgoff, pgoff);
  vma.flags = flags;
  yield* startWrite(m, vma);
  mm.tree.insert(vma);
  vma.attached = true;
  mm.mapCount++;
  return true;
}
