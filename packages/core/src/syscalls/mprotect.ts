import { KernelError } from '../errors.js';
import { populateLocked } from '../fault/populate.js';
import type { Machine } from '../machine.js';
import type { Mm } from '../mm/mm.js';
import { startWrite } from '../mm/vma-lock.js';
import { changeProtection } from '../page-table/protect.js';
import type { Op } from '../sync/op.js';
import { type Address, alignUp, isAligned } from '../units.js';
import { modifyVma } from '../vma/merge.js';
import * as vm from '../vma/vm-flags.js';
import type { VmArea } from '../vma/vma.js';
import { PROT_EXEC, PROT_GROWSDOWN, PROT_READ, PROT_WRITE } from './flags.js';

/**
 * mprotect(2). @throws EINVAL for bad arguments; ENOMEM for a hole in the range or at the VMA limit: what comes before stays changed
 */
export function* mprotect(m: Machine, mm: Mm, start: Address, length: number, prot: number): Op<void> {
  if (!isAligned(start)) throw new KernelError('EINVAL', 'mprotect', `0x${start.toString(16)} is not page-aligned`);
  if ((prot & ~(PROT_READ | PROT_WRITE | PROT_EXEC | PROT_GROWSDOWN)) !== 0) {
    throw new KernelError('EINVAL', 'mprotect', `unknown protection bits in ${prot}`);
  }
  if (length === 0) return;
  const end = (start + alignUp(length)) as Address;
  if (!(end > start)) throw new KernelError('ENOMEM', 'mprotect', `a length of ${length} does not end behind the start`);
  yield* mm.mmapLock.write();
  try {
    yield* protectRange(m, mm, start, end, prot);
  } finally {
    mm.writeUnlock();
  }
}

function* protectRange(m: Machine, mm: Mm, from: Address, end: Address, prot: number): Op<void> {
  let vma = mm.tree.find(from);
  let start = from;
  if (vma !== null && (prot & PROT_GROWSDOWN) !== 0 && vma.start < end && (vma.flags & vm.VM_GROWSDOWN) !== 0) start = vma.start;
  else if ((prot & PROT_GROWSDOWN) !== 0 && vma !== null) {
    throw new KernelError('EINVAL', 'mprotect', 'PROT_GROWSDOWN needs a mapping made with MAP_GROWSDOWN');
  }
  if (vma === null || vma.start > start) throw hole(start);
  for (;;) {
    const stop = Math.min(vma.end, end) as Address;
    vma = yield* protectVma(m, vma, start, stop, prot & vm.VM_ACCESS_FLAGS);
    if (stop >= end) return;
    start = stop;
    // The range may have been merged into a VMA that reaches further.
    if (vma.end <= start) {
      const next = mm.tree.next(vma);
      if (next === null || next.start !== start) throw hole(start);
      vma = next;
    }
  }
}

const hole = (at: Address): KernelError => new KernelError('ENOMEM', 'mprotect', `nothing is mapped at 0x${at.toString(16)}`);

/** One VMA's part of the range; the VMA that contains it afterwards (mprotect_fixup). @throws ENOMEM */
function* protectVma(m: Machine, vma: VmArea, start: Address, end: Address, access: number): Op<VmArea> {
  const old = vma.flags;
  const flags = commitFlags((old & ~vm.VM_ACCESS_FLAGS) | access, vma);
  if (flags === old) return vma;
  const changed = yield* modifyVma(m, { middle: vma, start, end, flags });
  yield* startWrite(m, changed);
  changed.flags = flags | (changed.flags & vm.VM_STICKY);
  yield* changeProtection(m, changed, start, end);
  // Locked private memory that becomes writable is copied early, so that a later write does not fault.
  const locked = (old & (vm.VM_WRITE | vm.VM_SHARED | vm.VM_LOCKED)) === vm.VM_LOCKED;
  if (locked && (flags & vm.VM_WRITE) !== 0) yield* populateLocked(m, changed, start, end);
  return changed;
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
