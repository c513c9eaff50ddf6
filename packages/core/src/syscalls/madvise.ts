import { KernelError, NoMemory } from '../errors.js';
import { populateAdvised } from '../fault/populate.js';
import { prepareFault } from '../fault/prepare.js';
import type { Machine } from '../machine.js';
import type { Mm } from '../mm/mm.js';
import { writeLocked } from '../mm/mmap-lock.js';
import { startWrite } from '../mm/vma-lock.js';
import { freeLazily } from '../page-table/free-lazily.js';
import { installGuards, removeGuards } from '../page-table/guard.js';
import { zapRange } from '../page-table/zap.js';
import { collapseRange } from '../reclaim/collapse.js';
import { breakKsm } from '../reclaim/ksm-break.js';
import { coldOrPageOut } from '../reclaim/pageout.js';
import { willNeed } from '../reclaim/willneed.js';
import { type Op, READY } from '../sync/op.js';
import { type Address, alignUp, isAligned } from '../units.js';
import { modifyVma } from '../vma/merge.js';
import * as vm from '../vma/vm-flags.js';
import type { VmArea } from '../vma/vma.js';
import * as f from './flags.js';

const refuse = (errno: 'EINVAL' | 'ENOMEM', reason: string): KernelError => new KernelError(errno, 'madvise', reason);

/** Advice that changes a VMA's flags: the new flags. @throws EINVAL */
const FLAG_ADVICE: Record<number, (vma: VmArea) => number> = {
  [f.MADV_NORMAL]: (vma) => vma.flags & ~(vm.VM_RAND_READ | vm.VM_SEQ_READ),
  [f.MADV_SEQUENTIAL]: (vma) => (vma.flags & ~vm.VM_RAND_READ) | vm.VM_SEQ_READ,
  [f.MADV_RANDOM]: (vma) => (vma.flags & ~vm.VM_SEQ_READ) | vm.VM_RAND_READ,
  [f.MADV_DONTFORK]: (vma) => vma.flags | vm.VM_DONTCOPY,
  [f.MADV_DOFORK]: (vma) => {
    if ((vma.flags & vm.VM_SPECIAL) !== 0) throw refuse('EINVAL', `MADV_DOFORK on a special mapping: ${vma}`);
    return vma.flags & ~vm.VM_DONTCOPY;
  },
  [f.MADV_WIPEONFORK]: (vma) => {
    if (vma.file !== null || vma.shared) throw refuse('EINVAL', `MADV_WIPEONFORK needs private anonymous memory: ${vma}`);
    return vma.flags | vm.VM_WIPEONFORK;
  },
  [f.MADV_KEEPONFORK]: (vma) => {
    if ((vma.flags & vm.VM_DROPPABLE) !== 0) throw refuse('EINVAL', `MADV_KEEPONFORK on droppable memory: ${vma}`);
    return vma.flags & ~vm.VM_WIPEONFORK;
  },
  [f.MADV_DONTDUMP]: (vma) => vma.flags | vm.VM_DONTDUMP,
  [f.MADV_DODUMP]: (vma) => {
    if ((vma.flags & (vm.VM_SPECIAL | vm.VM_DROPPABLE)) !== 0)
      throw refuse('EINVAL', `MADV_DODUMP on a special or droppable mapping: ${vma}`);
    return vma.flags & ~vm.VM_DONTDUMP;
  },
  [f.MADV_MERGEABLE]: (vma) =>
    vma.shared || (vma.flags & (vm.VM_SPECIAL | vm.VM_DROPPABLE)) !== 0 ? vma.flags : vma.flags | vm.VM_MERGEABLE,
  [f.MADV_UNMERGEABLE]: (vma) => vma.flags & ~vm.VM_MERGEABLE,
  [f.MADV_HUGEPAGE]: (vma) => (vma.flags & ~vm.VM_NOHUGEPAGE) | vm.VM_HUGEPAGE,
  [f.MADV_NOHUGEPAGE]: (vma) => (vma.flags & ~vm.VM_HUGEPAGE) | vm.VM_NOHUGEPAGE,
};

type Advice = (m: Machine, vma: VmArea, start: Address, end: Address) => Op<void>;

/** Advice that changes pages. */
const PAGE_ADVICE: Record<number, Advice> = {
  *[f.MADV_WILLNEED](m, vma, start, end): Op<void> {
    if (vma.file === null) yield* willNeed(m, vma, start, end);
  },
  *[f.MADV_COLD](m, vma, start, end): Op<void> {
    if ((vma.flags & vm.VM_LOCKED) !== 0) throw refuse('EINVAL', `MADV_COLD on locked memory: ${vma}`);
    yield* coldOrPageOut(m, vma, start, end, false);
  },
  *[f.MADV_DONTNEED](m, vma, start, end): Op<void> {
    if ((vma.flags & vm.VM_LOCKED) !== 0) throw refuse('EINVAL', `MADV_DONTNEED on locked memory: ${vma}; munlock it first`);
    yield* zapRange(m, vma, start, end, 'unwanted');
  },
  [f.MADV_DONTNEED_LOCKED]: (m, vma, start, end) => zapRange(m, vma, start, end, 'unwanted'),
  *[f.MADV_FREE](m, vma, start, end): Op<void> {
    if ((vma.flags & vm.VM_LOCKED) !== 0 || !vma.anonymous)
      throw refuse('EINVAL', `MADV_FREE needs unlocked private anonymous memory: ${vma}`);
    yield* freeLazily(m, vma, start, end);
  },
  *[f.MADV_PAGEOUT](m, vma, start, end): Op<void> {
    if ((vma.flags & (vm.VM_LOCKED | vm.VM_SPECIAL)) !== 0) throw refuse('EINVAL', `MADV_PAGEOUT of locked memory: ${vma}`);
    yield* coldOrPageOut(m, vma, start, end, true);
  },
  [f.MADV_COLLAPSE]: collapseRange,
  *[f.MADV_GUARD_INSTALL](m, vma, start, end): Op<void> {
    if ((vma.flags & (vm.VM_SPECIAL | vm.VM_LOCKED)) !== 0)
      throw refuse('EINVAL', `guard pages in locked or special memory: ${vma}`);
    vma.flags |= vm.VM_MAYBE_GUARD;
    if (vma.anonymous) yield* prepareFault(m, vma, true);
    yield* installGuards(m, vma, start, end);
  },
  *[f.MADV_GUARD_REMOVE](m, vma, start, end): Op<void> {
    if ((vma.flags & vm.VM_SPECIAL) !== 0) throw refuse('EINVAL', `guard pages in special memory: ${vma}`);
    yield* removeGuards(m, vma, start, end);
  },
};

/**
 * madvise(2). Holes are passed over and reported at the end. @throws EINVAL for bad arguments or advice that a VMA can't take,
 * ENOMEM for a hole, EAGAIN at the VMA limit or without memory: what comes before stays done
 */
export function madvise(m: Machine, mm: Mm, start: Address, length: number, advice: number): Op<void> {
  const flagAdvice = FLAG_ADVICE[advice];
  const pageAdvice = PAGE_ADVICE[advice];
  const populates = advice === f.MADV_POPULATE_READ || advice === f.MADV_POPULATE_WRITE;
  if (flagAdvice === undefined && pageAdvice === undefined && !populates) throw refuse('EINVAL', `advice ${advice} is not known`);
  if (!isAligned(start)) throw refuse('EINVAL', `0x${start.toString(16)} is not page-aligned`);
  const end = (start + alignUp(length)) as Address;
  if (!Number.isSafeInteger(end) || end < start) throw refuse('EINVAL', `a length of ${length} overflows`);
  if (end === start) return READY;
  if (populates) return populateAdvised(m, mm, start, end, advice === f.MADV_POPULATE_WRITE);
  // The kernel takes the lock for reading where only pages change; a writer keeps faults out just the same.
  return writeLocked(m, mm, () => adviseRange(m, mm, start, end, flagAdvice, pageAdvice));
}

function* adviseRange(
  m: Machine,
  mm: Mm,
  start: Address,
  end: Address,
  flags: ((vma: VmArea) => number) | undefined,
  pages: Advice,
): Op<void> {
  let at = start;
  let hole = false;
  while (at < end) {
    const vma = mm.tree.find(at);
    if (vma === null || vma.start >= end) {
      hole = true;
      break;
    }
    if (vma.start > at) hole = true;
    const from = Math.max(at, vma.start) as Address;
    const to = Math.min(vma.end, end) as Address;
    if (flags !== undefined) yield* adviseFlags(m, vma, from, to, flags(vma));
    else yield* pages(m, vma, from, to);
    at = to;
  }
  if (hole) throw refuse('ENOMEM', 'parts of the range are not mapped; the rest was done');
}

/** One VMA's new flags (madvise_vma_behavior). @throws EAGAIN */
function* adviseFlags(m: Machine, vma: VmArea, start: Address, end: Address, flags: number): Op<void> {
  try {
    if ((vma.flags & ~flags & vm.VM_MERGEABLE) !== 0) yield* breakKsm(m, vma, start, end);
    if ((flags & vm.VM_MERGEABLE) !== 0 && !m.ksm.mms.has(vma.mm.id)) m.ksm.mms.set(vma.mm.id, vma.mm);
    if (flags === vma.flags) return;
    const changed = yield* modifyVma(m, { middle: vma, start, end, flags });
    yield* startWrite(m, changed);
    changed.flags = flags | (changed.flags & vm.VM_STICKY);
  } catch (error) {
    if (error instanceof NoMemory || (error instanceof KernelError && error.errno === 'ENOMEM')) {
      throw new KernelError('EAGAIN', 'madvise', error.reason);
    }
    throw error;
  }
}
