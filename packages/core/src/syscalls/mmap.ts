import { KernelError } from '../errors.js';
import { populateQuietly } from '../fault/populate.js';
import type { FileMapping } from '../folio/page-cache.js';
import type { Machine } from '../machine.js';
import type { Mm } from '../mm/mm.js';
import { startWrite } from '../mm/vma-lock.js';
import type { Op } from '../sync/op.js';
import { type Address, alignUp, isAligned, PAGE_SIZE, type Pgoff, pageOf } from '../units.js';
import { allocVma, setRange } from '../vma/alloc.js';
import { type MergeRange, mergeNewRange } from '../vma/merge.js';
import { fixedArea, unmappedArea } from '../vma/unmapped-area.js';
import * as vm from '../vma/vm-flags.js';
import * as f from './flags.js';
import { gatherVmas, unmapVmas } from './munmap.js';

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
export function* mmap(m: Machine, mm: Mm, request: MmapRequest): Op<Address> {
  const length = check(request);
  yield* mm.mmapLock.write();
  let at: Address;
  let flags: number;
  try {
    if (mm.mapCount > m.options.maxMapCount) {
      throw new KernelError('ENOMEM', 'mmap', `the address space has ${mm.mapCount} VMAs, more than the limit (max_map_count)`);
    }
    at = place(m, mm, request, length);
    flags = vmFlags(request);
    yield* mmapRegion(m, mm, request, at, length, flags);
  } finally {
    mm.writeUnlock();
  }
  if ((request.flags & (f.MAP_POPULATE | f.MAP_LOCKED)) !== 0) yield* populateQuietly(m, mm, at, (at + length) as Address);
  return at;
}

function check({ length, flags, offset, file }: MmapRequest): number {
  if (!(length > 0)) throw new KernelError('EINVAL', 'mmap', 'the length is 0; ask for at least one byte');
  if (!isAligned(offset) || offset < 0) throw new KernelError('EINVAL', 'mmap', `file offset ${offset} is not page-aligned`);
  const rounded = alignUp(length);
  if (!Number.isSafeInteger(rounded)) throw new KernelError('ENOMEM', 'mmap', `${length} bytes are more than the address space`);
  if (!Number.isSafeInteger(offset + rounded))
    throw new KernelError('EOVERFLOW', 'mmap', `offset ${offset} + ${length} overflows`);
  const sharing = flags & (f.MAP_SHARED | f.MAP_PRIVATE);
  if (sharing !== f.MAP_SHARED && sharing !== f.MAP_PRIVATE) {
    throw new KernelError('EINVAL', 'mmap', 'exactly one of MAP_SHARED and MAP_PRIVATE must be given');
  }
  const growsDown = (flags & f.MAP_GROWSDOWN) !== 0;
  if (growsDown && (file !== null || sharing === f.MAP_SHARED)) {
    throw new KernelError('EINVAL', 'mmap', 'MAP_GROWSDOWN needs private anonymous memory');
  }
  return rounded;
}

function place(m: Machine, mm: Mm, { at, flags }: MmapRequest, length: number): Address {
  if ((flags & (f.MAP_FIXED | f.MAP_FIXED_NOREPLACE)) === 0) return unmappedArea(m, mm, at, length);
  const fixed = fixedArea(at, length);
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
  if ((flags & f.MAP_NORESERVE) !== 0) bits |= vm.VM_NORESERVE;
  return accounted(bits);
}

/** `flags`, counted against the commit limit where private memory is writable. */
function accounted(flags: number): number {
  const writable = (flags & (vm.VM_NORESERVE | vm.VM_SHARED | vm.VM_WRITE)) === vm.VM_WRITE;
  return writable ? flags | vm.VM_ACCOUNT : flags;
}

function* mmapRegion(m: Machine, mm: Mm, request: MmapRequest, at: Address, length: number, flags: number): Op<void> {
  const end = (at + length) as Address;
  let next = mm.tree.find(at);
  if (next !== null && next.start < end) {
    yield* unmapVmas(m, mm, yield* gatherVmas(m, mm, at, end));
    next = mm.tree.find(at);
  }
  const file = request.file ?? ((flags & vm.VM_SHARED) !== 0 ? m.addFile('shmem', length / PAGE_SIZE) : null);
  const pgoff = (request.file === null ? (file === null ? pageOf(at) : 0) : request.offset / PAGE_SIZE) as Pgoff;
  const anonPgoff = (file === null || m.options.anonOffset === 'file' ? pgoff : pageOf(at)) as Pgoff;
  const prev = next === null ? mm.tree.last() : mm.tree.prev(next);
  const range: MergeRange = { mm, prev, next, start: at, end, pgoff, anonPgoff, flags, file };
  const merged = yield* mergeNewRange(m, range, null, 'new');
  if (merged !== null) return;
  const vma = yield* allocVma(m, mm);
  setRange(vma, at, end, pgoff, anonPgoff);
  vma.flags = flags;
  vma.file = file;
  yield* startWrite(m, vma);
  mm.tree.insert(vma);
  vma.attached = true;
  mm.mapCount++;
  if (file !== null) m.iMmapLock.writes++;
}
