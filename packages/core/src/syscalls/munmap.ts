import { KernelError } from '../errors.js';
import type { Machine } from '../machine.js';
import type { Mm } from '../mm/mm.js';
import { startWrite } from '../mm/vma-lock.js';
import { zapRange } from '../page-table/zap.js';
import { andThen, type Op, READY, ready } from '../sync/op.js';
import { type Address, alignUp, isAligned, pageOf, TASK_SIZE } from '../units.js';
import { freeVma } from '../vma/alloc.js';
import { splitVmaUnlimited, unlinkRmap } from '../vma/split.js';
import type { VmArea } from '../vma/vma.js';

/** munmap(2). @throws EINVAL for a bad range; ENOMEM at the VMA limit or without memory, when a first split may stay */
export function* munmap(m: Machine, mm: Mm, start: Address, length: number): Op<void> {
  yield* mm.mmapLock.write();
  try {
    yield* munmapLocked(m, mm, start, length);
  } finally {
    mm.writeUnlock();
  }
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

function* unmapRange(m: Machine, mm: Mm, start: Address, end: Address): Op<void> {
  yield* unmapVmas(m, mm, yield* gatherVmas(m, mm, start, end));
}

/** Splits what straddles the edges; the VMAs that then make up [start, end) (vms_gather_munmap_vmas). @throws ENOMEM */
export function gatherVmas(m: Machine, mm: Mm, start: Address, end: Address): Op<VmArea[]> {
  const first = mm.tree.find(start);
  if (first === null || first.start >= end) return ready([]);
  if (first.start === start && first.end === end) return andThen(startWrite(m, first), () => [first]);
  return gatherFrom(m, mm, first, start, end);
}

function* gatherFrom(m: Machine, mm: Mm, first: VmArea, start: Address, end: Address): Op<VmArea[]> {
  if (first.start < start) {
    if (end < first.end && mm.mapCount >= m.options.maxMapCount) {
      throw new KernelError(
        'ENOMEM',
        'munmap',
        `a hole would leave more VMAs than the limit (max_map_count, ${m.options.maxMapCount})`,
      );
    }
    yield* splitVmaUnlimited(m, first, start, true);
  }
  const vmas = mm.tree.overlapping(start, end);
  const last = vmas[vmas.length - 1];
  if (last.end > end) yield* splitVmaUnlimited(m, last, end, false);
  for (const vma of vmas) yield* startWrite(m, vma);
  return vmas;
}

/** Detaches whole neighbouring VMAs, clears their pages, and frees reverse map, page tables and VMAs, in this order. */
export function* unmapVmas(m: Machine, mm: Mm, vmas: readonly VmArea[]): Op<void> {
  if (vmas.length === 0) return;
  const first = vmas[0];
  const last = vmas[vmas.length - 1];
  const floor = mm.tree.prev(first)?.end ?? 0;
  const ceiling = mm.tree.next(last)?.start ?? TASK_SIZE;
  mm.forgetShortcuts();
  if (m.sync.stepping) yield { kind: 'store', object: mm, label: 'mm_mt' };
  for (const vma of vmas) {
    mm.tree.remove(vma);
    vma.attached = false;
    mm.mapCount--;
  }
  for (const vma of vmas) yield* zapRange(m, vma, vma.start, vma.end);
  for (const vma of vmas) {
    yield* unlinkRmap(m, vma);
    if (vma.file !== null) m.iMmapLock.writes++;
  }
  m.tables.freeRange(
    mm.pgd,
    pageOf(first.start),
    pageOf(last.end),
    floor / 4096,
    ceiling === TASK_SIZE ? Number.POSITIVE_INFINITY : ceiling / 4096,
  );
  mm.forgetShortcuts();
  for (const vma of vmas) freeVma(m, vma);
}
