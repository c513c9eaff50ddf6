import { KernelError, NoMemory } from '../errors.js';
import type { Machine } from '../machine.js';
import type { Mm } from '../mm/mm.js';
import { startWrite } from '../mm/vma-lock.js';
import { type MoveRange, moveOrRollBack } from '../page-table/move.js';
import { breakKsm } from '../reclaim/ksm-break.js';
import { andThen, finish, type Op, READY, ready, run } from '../sync/op.js';
import { type Address, PAGE_SIZE, type Pgoff, pageOf } from '../units.js';
import { dupVma, freeVma, setRange } from '../vma/alloc.js';
import { cloneRmap, unlinkRmap } from '../vma/link.js';
import { type MergeRange, mergeNewRange } from '../vma/merge.js';
import { VM_ACCOUNT, VM_LOCKED, VM_MERGEABLE, VM_UFFD_MISSING } from '../vma/vm-flags.js';
import type { VmArea } from '../vma/vma.js';
import { MREMAP_DONTUNMAP } from './flags.js';
import type { Remap } from './mremap.js';
import { munmapLocked } from './munmap.js';

/**
 * Moves a part or all of `vma` to a free place: copies the VMA, lets the entries travel, unmaps the source (move_vma).
 * @throws ENOMEM; then the entries are back where they were
 */
export function moveVma(m: Machine, vma: VmArea, remap: Remap): Op<Address> {
  if (vma.mm.mapCount >= m.options.maxMapCount - 3)
    throw new KernelError('ENOMEM', 'mremap', 'too close to the VMA limit (max_map_count)');
  if (m.sync.stepping) return moveStepping(m, vma, remap);
  finish(prepareSource(m, vma, remap));
  const copy = run(copyVma(m, vma, remap));
  const range = rangeOf(copy, remap);
  if (!run(moveOrRollBack(m, range))) {
    finish(unmapAccounted(m, copy.vma, remap.to, remap.newLength, remap.flags));
    throw new NoMemory('mremap');
  }
  finish(forgetUffd(m, copy.vma));
  finish(leaveSource(m, range, remap));
  return ready(remap.to);
}

/** The same, giving way to others. */
function* moveStepping(m: Machine, vma: VmArea, remap: Remap): Op<Address> {
  yield* prepareSource(m, vma, remap);
  const copy = yield* copyVma(m, vma, remap);
  const range = rangeOf(copy, remap);
  if (!(yield* moveOrRollBack(m, range))) {
    yield* unmapAccounted(m, copy.vma, remap.to, remap.newLength, remap.flags);
    throw new NoMemory('mremap');
  }
  yield* forgetUffd(m, copy.vma);
  yield* leaveSource(m, range, remap);
  return remap.to;
}

function prepareSource(m: Machine, vma: VmArea, remap: Remap): Op<void> {
  return (vma.flags & VM_MERGEABLE) === 0 ? startWrite(m, vma) : withoutKsm(m, vma, remap);
}

function* withoutKsm(m: Machine, vma: VmArea, { at, oldLength }: Remap): Op<void> {
  yield* startWrite(m, vma);
  yield* breakKsm(m, vma, at, (at + oldLength) as Address);
}

/** What travels: a VMA that was never touched may have merged with its own copy. */
const rangeOf = ({ vma, merged }: Copy, { at, to, oldLength }: Remap): MoveRange => ({
  why: 'mremap',
  from: vma.mm.tree.lookup(at) as VmArea,
  to: vma,
  merged,
  fromStart: at,
  toStart: to,
  bytes: oldLength,
});

/** Unmaps the emptied source; with MREMAP_DONTUNMAP it stays, empty. */
function leaveSource(m: Machine, { from, to }: MoveRange, { at, oldLength, flags }: Remap): Op<void> {
  if ((flags & MREMAP_DONTUNMAP) === 0) return oldLength > 0 ? unmapAccounted(m, from, at, oldLength, flags) : READY;
  from.flags &= ~VM_LOCKED;
  return from !== to && from.start === at && from.end === at + oldLength ? unlinkRmap(m, from) : READY;
}

/** Where moved memory will be, and whether that was there before. */
interface Copy {
  readonly vma: VmArea;
  readonly merged: boolean;
}

/** The VMA that will hold the moved memory: a neighbour of the destination, or a copy of `vma` (copy_vma). @throws NoMemory */
function copyVma(m: Machine, vma: VmArea, remap: Remap): Op<Copy> {
  const range = placeOf(m, vma, remap);
  if (m.sync.stepping) return copyStepping(m, vma, range);
  const merged = run(mergeNewRange(m, range, vma, 'moved'));
  if (merged !== null) return ready({ vma: merged, merged: true });
  const copy = run(dupVma(m, range.mm, vma));
  try {
    setRange(copy, range.start, range.end, range.pgoff, range.anonPgoff);
    finish(cloneRmap(m, copy, vma, 'move'));
  } catch (error) {
    freeVma(m, copy);
    throw error;
  }
  finish(startWrite(m, copy));
  insert(m, copy);
  return ready({ vma: copy, merged: false });
}

/** The same, giving way to others. */
function* copyStepping(m: Machine, vma: VmArea, range: MergeRange): Op<Copy> {
  const merged = yield* mergeNewRange(m, range, vma, 'moved');
  if (merged !== null) return { vma: merged, merged: true };
  const copy = yield* dupVma(m, range.mm, vma);
  try {
    setRange(copy, range.start, range.end, range.pgoff, range.anonPgoff);
    yield* cloneRmap(m, copy, vma, 'move');
  } catch (error) {
    freeVma(m, copy);
    throw error;
  }
  yield* startWrite(m, copy);
  insert(m, copy);
  return { vma: copy, merged: false };
}

function placeOf(m: Machine, vma: VmArea, { at, newLength, to }: Remap): MergeRange {
  const { mm } = vma;
  const offset = (at - vma.start) / PAGE_SIZE;
  // Memory that was never touched has no page that knows its offset, so it takes the offset of its new place.
  const fresh = !vma.faulted;
  const pgoff = (fresh && vma.anonymous ? pageOf(to) : vma.pgoff + offset) as Pgoff;
  const reset = fresh && (vma.anonymous || m.options.anonOffset === 'own');
  const anonPgoff = (reset ? pageOf(to) : vma.anonPgoff + offset) as Pgoff;
  const next = mm.tree.find(to);
  const prev = next === null ? mm.tree.last() : mm.tree.prev(next);
  return { mm, prev, next, start: to, end: (to + newLength) as Address, pgoff, anonPgoff, flags: vma.flags, file: vma.file };
}

function insert(m: Machine, copy: VmArea): void {
  if (copy.file !== null) m.iMmapLock.writes++;
  copy.mm.tree.insert(copy);
  copy.attached = true;
  copy.mm.mapCount++;
}

/** Its userfaultfd did not ask for events of moves, so the VMA that took the memory in is registered no longer, all of it (mremap_userfaultfd_prep). */
function forgetUffd(m: Machine, vma: VmArea): Op<void> {
  if ((vma.flags & VM_UFFD_MISSING) === 0) return READY;
  return andThen(startWrite(m, vma), () => {
    vma.flags &= ~VM_UFFD_MISSING;
  });
}

/**
 * Unmaps the emptied source, or the destination of a move that failed. Like the kernel, it gives up quietly when a split runs out
 * of memory: the VMA stays, empty, in up to two parts, and accounted for no more (unmap_source_vma).
 */
function unmapAccounted(m: Machine, vma: VmArea, at: Address, bytes: number, flags: number): Op<void> {
  const { mm } = vma;
  const beside = flags & MREMAP_DONTUNMAP ? [] : suspendAccount(vma, at, bytes);
  if (m.sync.stepping) return unmapStepping(m, mm, at, bytes, beside);
  try {
    finish(munmapLocked(m, mm, at, bytes));
    resumeAccount(mm, beside);
  } catch (error) {
    if (!(error instanceof KernelError)) throw error;
  }
  return READY;
}

/** The same, giving way to others. */
function* unmapStepping(m: Machine, mm: Mm, at: Address, bytes: number, beside: readonly number[]): Op<void> {
  try {
    yield* munmapLocked(m, mm, at, bytes);
    resumeAccount(mm, beside);
  } catch (error) {
    if (!(error instanceof KernelError)) throw error;
  }
}

/** What moved is accounted for at its new place, so unmapping must not take it off the account; an address in each part of `vma` that will be left. */
function suspendAccount(vma: VmArea, at: Address, bytes: number): readonly number[] {
  if ((vma.flags & VM_ACCOUNT) === 0) return [];
  vma.flags &= ~VM_ACCOUNT;
  return [at - PAGE_SIZE, at + bytes].filter((address) => vma.start <= address && address < vma.end);
}

/** The parts were split from one another, so they are write-locked. */
function resumeAccount(mm: Mm, beside: readonly number[]): void {
  for (const address of beside) (mm.tree.lookup(address) as VmArea).flags |= VM_ACCOUNT;
}
