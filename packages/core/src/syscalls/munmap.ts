import { KernelError } from '../errors.js';
import type { Machine } from '../machine.js';
import type { Mm } from '../mm/mm.js';
import { writeLocked } from '../mm/mmap-lock.js';
import { startWrite } from '../mm/vma-lock.js';
import { zapRange } from '../page-table/zap.js';
import { andThen, finish, type Op, READY, ready, run } from '../sync/op.js';
import { type Address, alignUp, isAligned, PAGE_SIZE, pageOf, TASK_SIZE } from '../units.js';
import { freeVma } from '../vma/alloc.js';
import { unlinkRmap } from '../vma/link.js';
import { splitVmaUnlimited } from '../vma/split.js';
import type { VmArea } from '../vma/vma.js';

/** munmap(2). @throws EINVAL for a bad range; ENOMEM at the VMA limit or without memory, when a first split may stay */
export function munmap(m: Machine, mm: Mm, start: Address, length: number): Op<void> {
  return writeLocked(m, mm, () => munmapLocked(m, mm, start, length));
}

/** The same under mmap_lock (do_vmi_munmap). */
export function munmapLocked(m: Machine, mm: Mm, start: Address, length: number): Op<void> {
  if (!isAligned(start) || start > TASK_SIZE || length > TASK_SIZE - start || length <= 0) {
    throw new KernelError(
      'EINVAL',
      'munmap',
      `0x${start.toString(16)}+${length} is no page-aligned, non-empty range of user addresses`,
    );
  }
  const end = (start + alignUp(length)) as Address;
  const first = mm.tree.find(start);
  return first === null || first.start >= end ? READY : unmapRange(m, mm, start, end);
}

/** Unmaps [start, end), in which there is a VMA. @throws ENOMEM */
export function unmapRange(m: Machine, mm: Mm, start: Address, end: Address): Op<void> {
  if (m.sync.stepping) return unmapRangeStepping(m, mm, start, end);
  return unmapVmas(m, mm, run(gatherVmas(m, mm, start, end)));
}

function* unmapRangeStepping(m: Machine, mm: Mm, start: Address, end: Address): Op<void> {
  yield* unmapVmas(m, mm, yield* gatherVmas(m, mm, start, end));
}

/** Splits what straddles the edges; the VMAs that then make up [start, end) (vms_gather_munmap_vmas). @throws ENOMEM */
export function gatherVmas(m: Machine, mm: Mm, start: Address, end: Address): Op<VmArea[]> {
  const first = mm.tree.find(start);
  if (first === null || first.start >= end) return ready([]);
  if (first.start === start && first.end === end) return andThen(startWrite(m, first), () => [first]);
  return gatherFrom(m, mm, first, start, end);
}

function gatherFrom(m: Machine, mm: Mm, first: VmArea, start: Address, end: Address): Op<VmArea[]> {
  if (first.start < start && end < first.end && mm.mapCount >= m.options.maxMapCount) {
    throw new KernelError(
      'ENOMEM',
      'munmap',
      `a hole would leave more VMAs than the limit (max_map_count, ${m.options.maxMapCount})`,
    );
  }
  if (m.sync.stepping) return gatherStepping(m, mm, first, start, end);
  if (first.start < start) run(splitVmaUnlimited(m, first, start, true));
  const vmas = mm.tree.overlapping(start, end);
  const last = vmas[vmas.length - 1];
  if (last.end > end) run(splitVmaUnlimited(m, last, end, false));
  for (const vma of vmas) finish(startWrite(m, vma));
  return ready(vmas);
}

/** The same, giving way to others. */
function* gatherStepping(m: Machine, mm: Mm, first: VmArea, start: Address, end: Address): Op<VmArea[]> {
  if (first.start < start) yield* splitVmaUnlimited(m, first, start, true);
  const vmas = mm.tree.overlapping(start, end);
  const last = vmas[vmas.length - 1];
  if (last.end > end) yield* splitVmaUnlimited(m, last, end, false);
  for (const vma of vmas) yield* startWrite(m, vma);
  return vmas;
}

/** Detaches whole neighbouring VMAs, clears their pages, and frees reverse map, page tables and VMAs, in this order. */
export function unmapVmas(m: Machine, mm: Mm, vmas: readonly VmArea[]): Op<void> {
  if (vmas.length === 0) return READY;
  if (m.sync.stepping) return unmapStepping(m, mm, vmas);
  const { floor, ceiling } = gapAround(mm, vmas);
  detach(mm, vmas);
  for (const vma of vmas) finish(zapRange(m, vma, vma.start, vma.end));
  for (const vma of vmas) finish(unlinkRmap(m, vma));
  release(m, mm, vmas, floor, ceiling);
  return READY;
}

/** The same, giving way to others. */
function* unmapStepping(m: Machine, mm: Mm, vmas: readonly VmArea[]): Op<void> {
  const { floor, ceiling } = gapAround(mm, vmas);
  yield { kind: 'store', object: mm, label: 'mm_mt' };
  detach(mm, vmas);
  for (const vma of vmas) yield* zapRange(m, vma, vma.start, vma.end);
  for (const vma of vmas) yield* unlinkRmap(m, vma);
  release(m, mm, vmas, floor, ceiling);
}

/** The pages between the neighbours of `vmas`: tables that serve nothing else are free to go. */
const gapAround = (mm: Mm, vmas: readonly VmArea[]): { floor: number; ceiling: number } => ({
  floor: (mm.tree.prev(vmas[0])?.end ?? 0) / PAGE_SIZE,
  ceiling: (mm.tree.next(vmas[vmas.length - 1])?.start ?? Number.POSITIVE_INFINITY) / PAGE_SIZE,
});

function detach(mm: Mm, vmas: readonly VmArea[]): void {
  mm.forgetShortcuts();
  for (const vma of vmas) {
    mm.tree.remove(vma);
    vma.attached = false;
    mm.mapCount--;
  }
}

function release(m: Machine, mm: Mm, vmas: readonly VmArea[], floor: number, ceiling: number): void {
  for (const vma of vmas) if (vma.file !== null) m.iMmapLock.writes++;
  m.tables.freeRange(mm.pgd, pageOf(vmas[0].start), pageOf(vmas[vmas.length - 1].end), floor, ceiling);
  mm.forgetShortcuts();
  for (const vma of vmas) freeVma(m, vma);
}
