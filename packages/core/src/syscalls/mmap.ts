import { KernelError } from '../errors.js';
import { populateQuietly } from '../fault/populate.js';
import type { FileMapping } from '../folio/page-cache.js';
import type { Machine } from '../machine.js';
import type { Mm } from '../mm/mm.js';
import { writeLocked } from '../mm/mmap-lock.js';
import { startWrite } from '../mm/vma-lock.js';
import { andThen, finish, type Op, READY, run } from '../sync/op.js';
import { type Address, alignUp, isAligned, PAGE_SIZE, type Pgoff, pageOf } from '../units.js';
import { allocVma, setRange } from '../vma/alloc.js';
import { type MergeRange, mergeNewRange } from '../vma/merge.js';
import { fixedArea, roundHint, unmappedArea } from '../vma/unmapped-area.js';
import * as vm from '../vma/vm-flags.js';
import type { VmArea } from '../vma/vma.js';
import * as f from './flags.js';
import { unmapRange } from './munmap.js';

/** What mmap(2) takes beside the length. */
export interface MmapRequest {
  readonly at: Address;
  readonly length: number;
  /** `PROT_*` */
  readonly prot: number;
  /** `MAP_*` */
  readonly flags: number;
  /** The file to map; null with `MAP_ANONYMOUS`. */
  readonly file: FileMapping | null;
  /** Offset in the file, in bytes. */
  readonly offset: number;
}

/**
 * mmap(2): the address of the new mapping. What a fixed mapping covers is unmapped first. @throws EINVAL, ENOMEM, EEXIST, EPERM,
 * EOVERFLOW; when memory runs out for the new VMA, what a fixed mapping covers is gone already, as in the kernel
 */
export function mmap(m: Machine, mm: Mm, request: MmapRequest): Op<Address> {
  const length = check(request);
  const mapped = writeLocked(m, mm, () => mapLocked(m, mm, request, length));
  return populates(request.flags) ? populated(m, mm, mapped, length) : mapped;
}

const populates = (flags: number): boolean =>
  (flags & f.MAP_LOCKED) !== 0 || (flags & (f.MAP_POPULATE | f.MAP_NONBLOCK)) === f.MAP_POPULATE;

function mapLocked(m: Machine, mm: Mm, request: MmapRequest, length: number): Op<Address> {
  if (mm.mapCount > m.options.maxMapCount) {
    throw new KernelError('ENOMEM', 'mmap', `the address space has ${mm.mapCount} VMAs, more than the limit (max_map_count)`);
  }
  const at = place(m, mm, request, length);
  checkSharing(request);
  return andThen(mapRegion(m, mm, request, at, length, vmFlags(request)), () => at);
}

function* populated(m: Machine, mm: Mm, mapped: Op<Address>, length: number): Op<Address> {
  const at = yield* mapped;
  yield* populateQuietly(m, mm, at, (at + length) as Address);
  return at;
}

function check({ length, offset }: MmapRequest): number {
  if (!(length > 0)) throw new KernelError('EINVAL', 'mmap', 'the length is 0; ask for at least one byte');
  if (!isAligned(offset) || offset < 0) throw new KernelError('EINVAL', 'mmap', `file offset ${offset} is not page-aligned`);
  const rounded = alignUp(length);
  if (!Number.isSafeInteger(rounded)) throw new KernelError('ENOMEM', 'mmap', `${length} bytes are more than the address space`);
  if (!Number.isSafeInteger(offset + rounded))
    throw new KernelError('EOVERFLOW', 'mmap', `offset ${offset} + ${length} overflows`);
  return rounded;
}

/** The kernel looks at this last, when it knows the place (do_mmap). */
function checkSharing({ flags, file }: MmapRequest): void {
  const type = flags & f.MAP_TYPE;
  if (type !== f.MAP_SHARED && type !== f.MAP_PRIVATE && type !== f.MAP_DROPPABLE)
    throw new KernelError('EINVAL', 'mmap', 'exactly one of MAP_SHARED, MAP_PRIVATE and MAP_DROPPABLE must be given');
  const growsDown = (flags & f.MAP_GROWSDOWN) !== 0;
  if (growsDown && (file !== null || type !== f.MAP_PRIVATE))
    throw new KernelError('EINVAL', 'mmap', 'MAP_GROWSDOWN needs private anonymous memory');
  if (type === f.MAP_DROPPABLE && (file !== null || (flags & f.MAP_LOCKED) !== 0))
    throw new KernelError('EINVAL', 'mmap', 'MAP_DROPPABLE needs anonymous memory that is not locked');
}

function place(m: Machine, mm: Mm, { at, flags, file }: MmapRequest, length: number): Address {
  if ((flags & (f.MAP_FIXED | f.MAP_FIXED_NOREPLACE)) === 0) {
    const anonymous = file === null && (flags & f.MAP_SHARED) === 0;
    return unmappedArea(m, mm, { length, hint: roundHint(at), anonymous }, 'mmap');
  }
  const fixed = fixedArea(at, length, 'mmap');
  if ((flags & f.MAP_FIXED_NOREPLACE) !== 0) {
    const [taken] = mm.tree.overlapping(fixed, fixed + length);
    if (taken !== undefined) throw new KernelError('EEXIST', 'mmap', `MAP_FIXED_NOREPLACE: ${taken} is in the way`);
  }
  return fixed;
}

/** vm_flags of a new mapping (calc_vm_prot_bits, calc_vm_flag_bits, accountable_mapping). */
function vmFlags({ prot, flags }: MmapRequest): number {
  let bits = prot & vm.VM_ACCESS_FLAGS;
  if ((flags & f.MAP_SHARED) !== 0) bits |= vm.VM_SHARED;
  if ((flags & f.MAP_GROWSDOWN) !== 0) bits |= vm.VM_GROWSDOWN;
  if ((flags & f.MAP_LOCKED) !== 0) bits |= vm.VM_LOCKED;
  if ((flags & f.MAP_STACK) !== 0) bits |= vm.VM_NOHUGEPAGE;
  if ((flags & f.MAP_NORESERVE) !== 0) bits |= vm.VM_NORESERVE;
  if ((flags & f.MAP_DROPPABLE) !== 0) bits |= vm.VM_DROPPABLE | vm.VM_NORESERVE | vm.VM_WIPEONFORK | vm.VM_DONTDUMP;
  return accounted(bits);
}

/** `flags`, counted against the commit limit where private memory is writable. */
function accounted(flags: number): number {
  const writable = (flags & (vm.VM_NORESERVE | vm.VM_SHARED | vm.VM_WRITE)) === vm.VM_WRITE;
  return writable ? flags | vm.VM_ACCOUNT : flags;
}

/** The new memory: the neighbours take it in, or it becomes a VMA of its own (mmap_region). */
function mapRegion(m: Machine, mm: Mm, request: MmapRequest, at: Address, length: number, flags: number): Op<void> {
  if (m.sync.stepping) return mapRegionStepping(m, mm, request, at, length, flags);
  finish(makeRoom(m, mm, at, length));
  const range = rangeOf(m, mm, request, at, length, flags);
  if (run(mergeNewRange(m, range, null, 'new')) !== null) return READY;
  const vma = run(allocVma(m, mm));
  finish(startWrite(m, vma));
  insert(m, vma, range);
  return READY;
}

/** The same, giving way to others. */
function* mapRegionStepping(m: Machine, mm: Mm, request: MmapRequest, at: Address, length: number, flags: number): Op<void> {
  yield* makeRoom(m, mm, at, length);
  const range = rangeOf(m, mm, request, at, length, flags);
  if ((yield* mergeNewRange(m, range, null, 'new')) !== null) return;
  const vma = yield* allocVma(m, mm);
  yield* startWrite(m, vma);
  insert(m, vma, range);
}

/** Unmaps what a fixed mapping covers. */
function makeRoom(m: Machine, mm: Mm, at: Address, length: number): Op<void> {
  const there = mm.tree.find(at);
  return there === null || there.start >= at + length ? READY : unmapRange(m, mm, at, (at + length) as Address);
}

function rangeOf(m: Machine, mm: Mm, request: MmapRequest, at: Address, length: number, flags: number): MergeRange {
  const file = request.file ?? ((flags & vm.VM_SHARED) !== 0 ? m.addFile('shmem', length / PAGE_SIZE, true, true) : null);
  const pgoff = (request.file === null ? (file === null ? pageOf(at) : 0) : request.offset / PAGE_SIZE) as Pgoff;
  const anonPgoff = (file === null || m.options.anonOffset === 'file' ? pgoff : pageOf(at)) as Pgoff;
  const next = mm.tree.find(at);
  const prev = next === null ? mm.tree.last() : mm.tree.prev(next);
  return { mm, prev, next, start: at, end: (at + length) as Address, pgoff, anonPgoff, flags, file };
}

function insert(m: Machine, vma: VmArea, { mm, start, end, pgoff, anonPgoff, flags, file }: MergeRange): void {
  setRange(vma, start, end, pgoff, anonPgoff);
  vma.flags = flags;
  vma.file = file;
  mm.tree.insert(vma);
  vma.attached = true;
  mm.mapCount++;
  if (file !== null) m.iMmapLock.writes++;
}
