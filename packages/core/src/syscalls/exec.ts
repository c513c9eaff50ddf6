import { KernelError, SegmentationFault } from '../errors.js';
import { touch } from '../fault/fault.js';
import { touchFast } from '../fault/fault-fast.js';
import { expandDownwards } from '../fault/stack.js';
import type { Machine } from '../machine.js';
import { dropMm } from '../mm/exit.js';
import { newMm } from '../mm/init.js';
import type { Mm } from '../mm/mm.js';
import { writeLocked } from '../mm/mmap-lock.js';
import { LeafMove, movePageTables } from '../page-table/move.js';
import { andThen, finish, type Op, READY, ready, run } from '../sync/op.js';
import { type Address, alignDown, PAGE_SIZE, type Pgoff, pageOf, TASK_SIZE } from '../units.js';
import { adjustVmas } from '../vma/adjust.js';
import { allocVma, setRange } from '../vma/alloc.js';
import { MMAP_MIN_ADDR } from '../vma/unmapped-area.js';
import * as vm from '../vma/vm-flags.js';
import type { VmArea } from '../vma/vma.js';

/** What exec(2) leaves for the new program to find. */
export interface ExecRequest {
  /** End of the stack, page-aligned; the arguments are first written below {@link TASK_SIZE} and then shifted down to it. */
  readonly stackTop: Address;
  /** Pages of arguments and environment. */
  readonly argumentPages: number;
  /** How far below the arguments the stack VMA reaches at first, in bytes (128 KiB in the kernel). */
  readonly stackExpand: number;
  /** Where the heap begins. */
  readonly startBrk: Address;
}

/**
 * exec(2)'s address space: nothing but a stack with the arguments (bprm_mm_init, setup_arg_pages). @throws NoMemory, EINVAL, EFAULT;
 * ENOMEM where the stack would begin at mmap_min_addr or below; nothing left
 */
export function execMm(m: Machine, request: ExecRequest): Op<Mm> {
  const { stackTop, argumentPages } = request;
  if (stackTop % PAGE_SIZE !== 0 || stackTop > TASK_SIZE || argumentPages < 1) {
    throw new KernelError(
      'EINVAL',
      'exec',
      `stack top 0x${stackTop.toString(16)} with ${argumentPages} argument pages is no place for a stack`,
    );
  }
  if (argumentPages * PAGE_SIZE >= stackTop - MMAP_MIN_ADDR) {
    const place = `0x${stackTop.toString(16)}, above mmap_min_addr (64 KiB)`;
    throw new KernelError('ENOMEM', 'exec', `no room for ${argumentPages} argument pages below ${place}`);
  }
  if (m.sync.stepping) return execStepping(m, request);
  const mm = run(newMm(m));
  mm.startBrk = mm.brk = request.startBrk;
  try {
    const stack = run(writeLocked(m, mm, () => temporaryStack(m, mm)));
    for (let page = 1; page <= argumentPages; page++) writeNow(m, mm, (TASK_SIZE - page * PAGE_SIZE) as Address);
    run(writeLocked(m, mm, () => finishStack(m, stack, request)));
  } catch (error) {
    finish(dropMm(m, mm));
    throw asRefusal(error);
  }
  return ready(mm);
}

/** The same, giving way to others. */
function* execStepping(m: Machine, request: ExecRequest): Op<Mm> {
  const mm = yield* newMm(m);
  mm.startBrk = mm.brk = request.startBrk;
  try {
    const stack = yield* writeLocked(m, mm, () => temporaryStack(m, mm));
    for (let page = 1; page <= request.argumentPages; page++)
      yield* touch(m, mm, (TASK_SIZE - page * PAGE_SIZE) as Address, true);
    yield* writeLocked(m, mm, () => finishStack(m, stack, request));
  } catch (error) {
    yield* dropMm(m, mm);
    throw asRefusal(error);
  }
  return mm;
}

const asRefusal = (error: unknown): unknown =>
  error instanceof SegmentationFault ? new KernelError('EFAULT', 'exec', error.message) : error;

function writeNow(m: Machine, mm: Mm, address: Address): void {
  if (!(m.options.fastFault && touchFast(m, mm, address, true))) run(touch(m, mm, address, true));
}

function temporaryStack(m: Machine, mm: Mm): Op<VmArea> {
  return andThen(allocVma(m, mm), (stack) => {
    const start = (TASK_SIZE - PAGE_SIZE) as Address;
    const pgoff = pageOf(start) as number as Pgoff;
    setRange(stack, start, TASK_SIZE, pgoff, pgoff);
    stack.flags = vm.VM_READ | vm.VM_WRITE | vm.VM_GROWSDOWN | vm.VM_ACCOUNT | vm.VM_STACK_INCOMPLETE_SETUP;
    mm.tree.insert(stack);
    stack.attached = true;
    mm.mapCount++;
    return stack;
  });
}

/** Where it is to be, and as long as it is at first. @throws EFAULT */
function finishStack(m: Machine, stack: VmArea, { stackTop, stackExpand }: ExecRequest): Op<void> {
  if (m.sync.stepping || TASK_SIZE > stackTop) return finishStackWaiting(m, stack, TASK_SIZE - stackTop, stackExpand);
  return expand(m, stack, stackExpand);
}

function* finishStackWaiting(m: Machine, stack: VmArea, down: number, stackExpand: number): Op<void> {
  if (down > 0) yield* shiftDown(m, stack, down);
  yield* expand(m, stack, stackExpand);
}

/** Down by so many bytes, as far as the limit allows. @throws EFAULT */
function expand(m: Machine, stack: VmArea, bytes: number): Op<void> {
  stack.flags &= ~vm.VM_STACK_INCOMPLETE_SETUP;
  const size = Math.min(alignDown(m.options.stackLimit), stack.end - stack.start + bytes);
  const start = (stack.end - size) as Address;
  if (start >= stack.start) return READY;
  return andThen(expandDownwards(m, stack, start), (expanded) => {
    if (!expanded)
      throw new KernelError('EFAULT', 'exec', `no room for a stack of ${size} bytes below 0x${stack.end.toString(16)}`);
  });
}

/** Moves the stack down by `bytes` within one VMA, its offsets unchanged (relocate_vma_down). @throws NoMemory, with the exec given up */
function* shiftDown(m: Machine, stack: VmArea, bytes: number): Op<void> {
  const { mm, start, end, anonPgoff } = stack;
  const to = (start - bytes) as Address;
  yield* adjustVmas(m, mm, [{ vma: stack, start: to, end, anonPgoff }], null, []);
  const move = new LeafMove(m, {
    why: 'exec-stack',
    from: stack,
    to: stack,
    merged: false,
    fromStart: start,
    toStart: to,
    bytes: end - start,
  });
  yield* movePageTables(m, move);
  const cleared = Math.max(start, end - bytes);
  m.tables.freeRange(mm.pgd, cleared / PAGE_SIZE, end / PAGE_SIZE, (end - bytes) / PAGE_SIZE, Number.POSITIVE_INFINITY);
  mm.forgetShortcuts();
  yield* adjustVmas(m, mm, [{ vma: stack, start: to, end: (end - bytes) as Address, anonPgoff }], null, []);
}
