import { KernelError } from '../errors.js';
import { populateLocked } from '../fault/populate.js';
import type { Machine } from '../machine.js';
import type { Mm } from '../mm/mm.js';
import { writeLocked } from '../mm/mmap-lock.js';
import { startWrite } from '../mm/vma-lock.js';
import { changeProtection } from '../page-table/protect.js';
import { type Op, READY } from '../sync/op.js';
import { type Address, alignUp, isAligned } from '../units.js';
import { modifyVma } from '../vma/merge.js';
import * as vm from '../vma/vm-flags.js';
import type { VmArea } from '../vma/vma.js';
import { PROT_EXEC, PROT_GROWSDOWN, PROT_READ, PROT_SEM, PROT_WRITE } from './flags.js';

/**
 * mprotect(2). @throws EINVAL for bad arguments; ENOMEM for a hole in the range or at the VMA limit: what comes before stays changed
 */
export function mprotect(m: Machine, mm: Mm, start: Address, length: number, prot: number): Op<void> {
  const end = check(start, length, prot);
  return end === start ? READY : writeLocked(m, mm, () => protect(m, firstVma(mm, start, end, prot), start, end, prot));
}

function* protect(m: Machine, first: VmArea, start: Address, end: Address, prot: number): Op<void> {
  let vma = first;
  let at = (prot & PROT_GROWSDOWN) !== 0 ? vma.start : start;
  for (;;) {
    const stop = Math.min(vma.end, end) as Address;
    const old = vma.flags;
    const wanted = (old & ~vm.VM_ACCESS_FLAGS) | (prot & vm.VM_ACCESS_FLAGS);
    const flags = wanted === old ? old : commitFlags(wanted, vma);
    if (flags !== old) {
      // mprotect_fixup
      vma = yield* modifyVma(m, { middle: vma, start: at, end: stop, flags });
      yield* startWrite(m, vma);
      vma.flags = flags | (vma.flags & vm.VM_STICKY);
      yield* changeProtection(m, vma, at, stop);
      // Locked private memory that becomes writable is copied early, so that a later write does not fault.
      const locked = (old & (vm.VM_WRITE | vm.VM_SHARED | vm.VM_LOCKED)) === vm.VM_LOCKED;
      if (locked && (flags & vm.VM_WRITE) !== 0) yield* populateLocked(m, vma, at, stop);
    }
    if (stop >= end) return;
    at = stop;
    // The range may have been merged into a VMA that reaches further.
    if (vma.end <= at) vma = vmaFrom(vma.mm.tree.next(vma), at);
  }
}

/** Where the range ends. */
function check(start: Address, length: number, prot: number): Address {
  if (!isAligned(start)) throw new KernelError('EINVAL', 'mprotect', `0x${start.toString(16)} is not page-aligned`);
  const end = (start + alignUp(length)) as Address;
  if (length === 0) return end;
  if (!(end > start)) throw new KernelError('ENOMEM', 'mprotect', `a length of ${length} does not end behind the start`);
  if ((prot & ~(PROT_READ | PROT_WRITE | PROT_EXEC | PROT_SEM | PROT_GROWSDOWN)) !== 0) {
    throw new KernelError('EINVAL', 'mprotect', `unknown protection bits in ${prot}`);
  }
  return end;
}

function firstVma(mm: Mm, start: Address, end: Address, prot: number): VmArea {
  const vma = mm.tree.find(start);
  if ((prot & PROT_GROWSDOWN) === 0 || vma === null) return vmaFrom(vma, start);
  if (vma.start >= end) return vmaFrom(vma, start);
  if ((vma.flags & vm.VM_GROWSDOWN) === 0)
    throw new KernelError('EINVAL', 'mprotect', 'PROT_GROWSDOWN needs a mapping made with MAP_GROWSDOWN');
  return vma;
}

/** `vma`, if the range can go on in it at `at`. */
function vmaFrom(vma: VmArea | null, at: Address): VmArea {
  if (vma === null || vma.start > at)
    throw new KernelError('ENOMEM', 'mprotect', () => `nothing is mapped at 0x${at.toString(16)}`);
  return vma;
}

/**
 * A private mapping that becomes writable is counted against the commit limit from then on; one that becomes read-only is
 * taken off again only while it is anonymous and unfaulted. So such neighbours may differ in VM_ACCOUNT for ever.
 */
function commitFlags(flags: number, vma: VmArea): number {
  if ((flags & vm.VM_WRITE) !== 0) {
    const counted = (vma.flags & (vm.VM_ACCOUNT | vm.VM_WRITE | vm.VM_SHARED | vm.VM_NORESERVE)) !== 0;
    return counted ? flags : flags | vm.VM_ACCOUNT;
  }
  return vma.anonymous && !vma.faulted ? flags & ~vm.VM_ACCOUNT : flags;
}
