import { KernelError } from '../errors.js';
import type { Machine } from '../machine.js';
import type { Mm } from '../mm/mm.js';
import { startWrite } from '../mm/vma-lock.js';
import type { Op } from '../sync/op.js';
import { type Address, isAligned, TASK_SIZE } from '../units.js';
import { modifyVma } from '../vma/merge.js';
import { VM_DROPPABLE, VM_STICKY, VM_UFFD_MISSING } from '../vma/vm-flags.js';
import type { VmArea } from '../vma/vma.js';

type Call = 'UFFDIO_MOVE' | 'UFFDIO_REGISTER' | 'UFFDIO_UNREGISTER';

/** A range that a userfaultfd is told: whole pages of user addresses (validate_range). @throws EINVAL */
export function validateRange(call: Call, start: number, length: number): void {
  if (!isAligned(start) || !isAligned(length) || start < 0 || length <= 0 || length > TASK_SIZE - start)
    throw new KernelError(
      'EINVAL',
      call,
      `0x${start.toString(16)}+${length} is no page-aligned, non-empty range of user addresses`,
    );
}

/**
 * Registers what is mapped of a range with a userfaultfd, or takes it off again: VMAs are cut at its ends, and those that are
 * registered merge with no other meanwhile (userfaultfd_register, userfaultfd_unregister). @throws EINVAL: a bad range, nothing
 * mapped there, or memory of a file on disk, and nothing changed; ENOMEM
 */
export function* uffdRegister(m: Machine, mm: Mm, start: Address, length: number, register: boolean): Op<void> {
  const call = register ? 'UFFDIO_REGISTER' : 'UFFDIO_UNREGISTER';
  validateRange(call, start, length);
  const end = (start + length) as Address;
  yield* mm.mmapLock.write();
  try {
    checkVmas(call, mm.tree.overlapping(start, end));
    for (let at = start; at < end; ) {
      const vma = mm.tree.find(at);
      if (vma === null || vma.start >= end) return;
      const flags = register ? vma.flags | VM_UFFD_MISSING : vma.flags & ~VM_UFFD_MISSING;
      const [from, to] = [Math.max(at, vma.start) as Address, Math.min(vma.end, end) as Address];
      at = to;
      if (flags === vma.flags) continue;
      // What was registered as a whole can always be taken off: without memory for a merge it stays apart (userfaultfd_clear_vma).
      const mergeOrNot = !register && from === vma.start && to === vma.end;
      const changed = yield* modifyVma(m, { middle: vma, start: from, end: to, flags, mergeOrNot });
      yield* startWrite(m, changed);
      changed.flags = flags | (changed.flags & VM_STICKY);
    }
  } finally {
    mm.writeUnlock();
  }
}

/** Anonymous and shared memory can have its faults handled elsewhere, but where it may be dropped (vma_can_userfault). */
function checkVmas(call: Call, vmas: readonly VmArea[]): void {
  if (vmas.length === 0) throw new KernelError('EINVAL', call, 'nothing is mapped there');
  const other = vmas.find(({ file }) => file !== null && !file.shmem);
  if (other !== undefined) throw new KernelError('EINVAL', call, `${other} is memory of a file on disk`);
  const droppable = vmas.find(({ flags }) => (flags & VM_DROPPABLE) !== 0);
  if (droppable !== undefined) throw new KernelError('EINVAL', call, `${droppable} may be dropped`);
}
