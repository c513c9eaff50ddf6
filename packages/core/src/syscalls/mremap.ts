import { KernelError } from '../errors.js';
import { populateQuietly } from '../fault/populate.js';
import type { Machine } from '../machine.js';
import type { Mm } from '../mm/mm.js';
import { writeLocked } from '../mm/mmap-lock.js';
import { andThen, finish, type Op, ready, run } from '../sync/op.js';
import { type Address, alignUp, isAligned, PAGE_SIZE, type Pgoff, TASK_SIZE } from '../units.js';
import { mergeNewRange } from '../vma/merge.js';
import { fixedArea, unmappedArea } from '../vma/unmapped-area.js';
import { VM_DONTEXPAND, VM_LOCKED, VM_UFFD_MISSING } from '../vma/vm-flags.js';
import type { VmArea } from '../vma/vma.js';
import { MREMAP_DONTUNMAP, MREMAP_FIXED, MREMAP_MAYMOVE } from './flags.js';
import { moveVma } from './move-vma.js';
import { munmapLocked } from './munmap.js';

/** What mremap(2) takes. */
export interface MremapRequest {
  readonly at: Address;
  readonly oldLength: number;
  readonly newLength: number;
  /** `MREMAP_*` */
  readonly flags: number;
  /** Where to, with MREMAP_FIXED; a hint with MREMAP_DONTUNMAP alone. */
  readonly to: Address;
}

/** A request with whole pages, narrowed to one VMA by turns (vma_remap_struct). */
export interface Remap {
  at: Address;
  oldLength: number;
  newLength: number;
  readonly flags: number;
  to: Address;
}

const refuse = (errno: 'EINVAL' | 'EFAULT' | 'ENOMEM', reason: string | (() => string)): KernelError =>
  new KernelError(errno, 'mremap', reason);

/**
 * mremap(2): where the memory is now. @throws EINVAL for bad arguments; EFAULT when nothing is mapped or the range crosses
 * VMAs, or several of which one is registered with a userfaultfd; EPERM below mmap_min_addr; ENOMEM: no room, at the VMA limit, or
 * without memory. What a fixed destination covered is gone by then, as is what a smaller new length leaves out, and a move of several
 * VMAs may have moved the first ones
 */
export function mremap(m: Machine, mm: Mm, request: MremapRequest): Op<Address> {
  const remap: Remap = { ...request, oldLength: alignUp(request.oldLength), newLength: alignUp(request.newLength) };
  const moved = writeLocked(m, mm, () => remapLocked(m, mm, remap));
  return remap.newLength > remap.oldLength ? populated(m, mm, moved, remap) : moved;
}

/** What grew in locked memory is faulted in. */
function* populated(m: Machine, mm: Mm, moved: Op<Address>, remap: Remap): Op<Address> {
  const result = yield* moved;
  const vma = mm.tree.lookup(result);
  if (vma !== null && (vma.flags & VM_LOCKED) !== 0) {
    yield* populateQuietly(m, mm, (result + remap.oldLength) as Address, (result + remap.newLength) as Address);
  }
  return result;
}

const newAddress = (flags: number): boolean => (flags & (MREMAP_FIXED | MREMAP_DONTUNMAP)) !== 0;

/** check_mremap_params */
function check(m: Machine, mm: Mm, { at, oldLength, newLength, flags, to }: Remap): void {
  if ((flags & ~(MREMAP_FIXED | MREMAP_MAYMOVE | MREMAP_DONTUNMAP)) !== 0) throw refuse('EINVAL', () => `unknown flags ${flags}`);
  if (!isAligned(at)) throw refuse('EINVAL', () => `0x${at.toString(16)} is not page-aligned`);
  if (!(newLength > 0)) throw refuse('EINVAL', 'the new length is 0');
  if (newLength > TASK_SIZE || oldLength < 0)
    throw refuse('EINVAL', () => `lengths ${oldLength} and ${newLength} do not fit the address space`);
  if (!newAddress(flags)) return;
  if (to > TASK_SIZE - newLength || !isAligned(to))
    throw refuse('EINVAL', () => `destination 0x${to.toString(16)} is unaligned or too high`);
  if ((flags & MREMAP_MAYMOVE) === 0) throw refuse('EINVAL', 'a destination without MREMAP_MAYMOVE');
  if ((flags & MREMAP_DONTUNMAP) !== 0 && oldLength !== newLength) throw refuse('EINVAL', 'MREMAP_DONTUNMAP can not resize');
  if (at + oldLength > to && to + newLength > at) throw refuse('EINVAL', 'source and destination overlap');
  if (mm.mapCount + 2 >= m.options.maxMapCount - 3) throw refuse('ENOMEM', 'too close to the VMA limit (max_map_count)');
}

function remapLocked(m: Machine, mm: Mm, remap: Remap): Op<Address> {
  check(m, mm, remap);
  if ((remap.flags & MREMAP_FIXED) !== 0 && remap.oldLength === remap.newLength) return moveEach(m, mm, remap);
  const vma = mm.tree.lookup(remap.at);
  if (vma === null) throw refuse('EFAULT', () => `nothing is mapped at 0x${remap.at.toString(16)}`);
  return newAddress(remap.flags) ? remapTo(m, mm, vma, remap) : remapAt(m, mm, vma, remap);
}

/** Moves every VMA of a range, each on its own, the gaps between them kept (remap_move, since 6.17). */
function moveEach(m: Machine, mm: Mm, remap: Remap): Op<Address> {
  if (mm.tree.lookup(remap.at) === null) throw refuse('EFAULT', () => `nothing is mapped at 0x${remap.at.toString(16)}`);
  if (m.sync.stepping) return moveEachStepping(m, mm, remap);
  let from = remap.at;
  for (let vma = vmaFrom(mm, from, remap); vma !== null; vma = vmaFrom(mm, from, remap)) {
    const piece = pieceOf(vma, remap);
    from = (piece.at + piece.oldLength) as Address;
    run(remapTo(m, mm, vma, piece));
  }
  return ready(remap.to);
}

/** The same, giving way to others. */
function* moveEachStepping(m: Machine, mm: Mm, remap: Remap): Op<Address> {
  let from = remap.at;
  for (let vma = vmaFrom(mm, from, remap); vma !== null; vma = vmaFrom(mm, from, remap)) {
    const piece = pieceOf(vma, remap);
    from = (piece.at + piece.oldLength) as Address;
    yield* remapTo(m, mm, vma, piece);
  }
  return remap.to;
}

/** The next VMA of the range, at or behind `from`. @throws EFAULT when it may not move */
function vmaFrom(mm: Mm, from: Address, { at, oldLength }: Remap): VmArea | null {
  const end = at + oldLength;
  const vma = from < end ? mm.tree.find(from) : null;
  if (vma === null || vma.start >= end) return null;
  if ((vma.flags & VM_UFFD_MISSING) !== 0 && (from > at || vma.end < end))
    throw refuse('EFAULT', () => `${vma} is registered with a userfaultfd, and moves only alone (vma_multi_allowed)`);
  return vma;
}

/** What of the range lies in `vma`: it moves as far as the range does. */
function pieceOf(vma: VmArea, { at, oldLength, flags, to }: Remap): Remap {
  const first = Math.max(vma.start, at) as Address;
  const length = Math.min(vma.end, at + oldLength) - first;
  return { at: first, oldLength: length, newLength: length, flags, to: (to + (first - at)) as Address };
}

/** May the VMA be remapped so (check_prep_vma, remap_is_valid)? @throws EINVAL, EFAULT */
function checkVma(vma: VmArea, { at, oldLength, newLength, flags }: Remap): void {
  if (oldLength === 0 && !vma.shared)
    throw refuse('EINVAL', 'an old length of 0 duplicates a mapping, which needs shared memory');
  if ((flags & MREMAP_DONTUNMAP) !== 0 && (vma.flags & VM_DONTEXPAND) !== 0)
    throw refuse('EINVAL', () => `${vma} can not be duplicated`);
  if (Math.min(oldLength, newLength) > vma.end - at) throw refuse('EFAULT', () => `the range ends behind ${vma}`);
  if (newLength <= oldLength) return;
  if (oldLength > vma.end - at) throw refuse('EFAULT', () => `the range ends behind ${vma}`);
  if ((vma.flags & VM_DONTEXPAND) !== 0) throw refuse('EFAULT', () => `${vma} can not grow`);
}

/** To a new address (mremap_to). */
function remapTo(m: Machine, mm: Mm, vma: VmArea, remap: Remap): Op<Address> {
  checkVma(vma, remap);
  if (m.sync.stepping) return remapStepping(m, mm, remap);
  if ((remap.flags & MREMAP_FIXED) !== 0) finish(munmapLocked(m, mm, remap.to, remap.newLength));
  if (remap.oldLength > remap.newLength) finish(shrink(m, mm, remap));
  return moveVma(m, vmaToMove(m, mm, remap), remap);
}

/** The same, giving way to others. */
function* remapStepping(m: Machine, mm: Mm, remap: Remap): Op<Address> {
  if ((remap.flags & MREMAP_FIXED) !== 0) yield* munmapLocked(m, mm, remap.to, remap.newLength);
  if (remap.oldLength > remap.newLength) yield* shrink(m, mm, remap);
  return yield* moveVma(m, vmaToMove(m, mm, remap), remap);
}

/** Unmaps what will not move. */
function shrink(m: Machine, mm: Mm, remap: Remap): Op<void> {
  const { at, oldLength, newLength } = remap;
  return andThen(munmapLocked(m, mm, (at + newLength) as Address, oldLength - newLength), () => {
    remap.oldLength = newLength;
  });
}

/** The VMA as the unmapping left it; where it goes is decided by now. */
function vmaToMove(m: Machine, mm: Mm, remap: Remap): VmArea {
  const vma = mm.tree.lookup(remap.at);
  if (vma === null) throw refuse('EFAULT', () => `nothing is mapped at 0x${remap.at.toString(16)} any more`);
  const { flags, to, newLength } = remap;
  remap.to = (flags & MREMAP_FIXED) === 0 ? anyPlace(m, vma, newLength, to) : fixedArea(to, newLength, 'mremap');
  return vma;
}

const anyPlace = (m: Machine, { mm, anonymous }: VmArea, length: number, hint: number): Address =>
  unmappedArea(m, mm, { length, hint, anonymous }, 'mremap');

/** In place, or where there is room (mremap_at). */
function* remapAt(m: Machine, mm: Mm, vma: VmArea, remap: Remap): Op<Address> {
  const { at, oldLength, newLength } = remap;
  if (newLength === oldLength) return at;
  if (newLength < oldLength) {
    yield* munmapLocked(m, mm, (at + newLength) as Address, oldLength - newLength);
    return at;
  }
  checkVma(vma, remap);
  if (vma.end - at === oldLength && isExpandable(mm, vma, newLength - oldLength)) {
    yield* growInPlace(m, vma, newLength - oldLength);
    return at;
  }
  if ((remap.flags & MREMAP_MAYMOVE) === 0)
    throw refuse('ENOMEM', `${vma} can not grow in place, and MREMAP_MAYMOVE is not given`);
  remap.to = anyPlace(m, vma, newLength, 0);
  return yield* moveVma(m, vma, remap);
}

const isExpandable = (mm: Mm, vma: VmArea, bytes: number): boolean =>
  vma.end + bytes <= TASK_SIZE && mm.tree.overlapping(vma.end, vma.end + bytes).length === 0;

/** The VMA takes in the range behind it, and perhaps the next VMA (vma_merge_extend). @throws ENOMEM */
function* growInPlace(m: Machine, vma: VmArea, bytes: number): Op<void> {
  const range = {
    mm: vma.mm,
    prev: vma,
    next: vma.mm.tree.next(vma),
    start: vma.end,
    end: (vma.end + bytes) as Address,
    pgoff: (vma.pgoff + vma.pages) as Pgoff,
    anonPgoff: (vma.anonPgoff + (vma.end - vma.start) / PAGE_SIZE) as Pgoff,
    flags: vma.flags,
    file: vma.file,
  };
  if ((yield* mergeNewRange(m, range, vma, 'grown')) === null) throw refuse('ENOMEM', `${vma} could not grow in place`);
}
