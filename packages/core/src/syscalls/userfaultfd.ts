import { KernelError } from '../errors.js';
import { prepareFault } from '../fault/prepare.js';
import type { Machine } from '../machine.js';
import type { Mm } from '../mm/mm.js';
import type { Op } from '../sync/op.js';
import { type Address, PAGE_SIZE, pageOf } from '../units.js';
import { VM_ACCESS_FLAGS, VM_LOCKED, VM_SPECIAL, VM_WRITE } from '../vma/vm-flags.js';
import type { VmArea } from '../vma/vma.js';
import { moveNext, type Place, refuse } from './uffd-move.js';
import { validateRange } from './uffd-register.js';

/** What UFFDIO_MOVE takes. */
export interface UffdMove {
  readonly to: Address;
  readonly from: Address;
  readonly length: number;
  /** Pass over pages that are not there (UFFDIO_MOVE_MODE_ALLOW_SRC_HOLES). */
  readonly allowHoles?: boolean;
}

/**
 * UFFDIO_MOVE: moves pages between two places of an address space without copying; how many bytes arrived before the first
 * page that could not. @throws, when none did, EINVAL: ranges or memory that don't fit; ENOENT: nothing is mapped there, or a
 * hole; EEXIST: the destination has a page; EBUSY: a page is shared or in use; ENOMEM
 */
export function* uffdMove(m: Machine, mm: Mm, { to, from, length, allowHoles = false }: UffdMove): Op<number> {
  validateRange('UFFDIO_MOVE', to, length);
  validateRange('UFFDIO_MOVE', from, length);
  yield* mm.mmapLock.read();
  try {
    const dst = mm.tree.lookup(to);
    if (dst === null) throw refuse('ENOENT', `nothing is mapped at 0x${to.toString(16)}`);
    if (!dst.shared) yield* prepareFault(m, dst, true);
    const src = mm.tree.lookup(from);
    if (src === null) throw refuse('ENOENT', `nothing is mapped at 0x${from.toString(16)}`);
    checkAreas(src, dst, from, to, length);
    for (let done = 0; done < length; ) {
      const place: Place = { src, dst, from: pageOf((from + done) as Address), to: pageOf((to + done) as Address) };
      try {
        done += PAGE_SIZE * (yield* moveNext(m, place, (length - done) / PAGE_SIZE, allowHoles));
      } catch (error) {
        if (done === 0 || !(error instanceof KernelError)) throw error;
        return done;
      }
    }
    return length;
  } finally {
    mm.mmapLock.readUnlock();
  }
}

/** validate_move_areas; that the destination is registered with a userfaultfd is not asked for. */
function checkAreas(src: VmArea, dst: VmArea, from: Address, to: Address, length: number): void {
  if (src.shared || dst.shared || from + length > src.end || to + length > dst.end)
    throw refuse('EINVAL', 'both ranges must lie in one private VMA each');
  if (((src.flags ^ dst.flags) & (VM_ACCESS_FLAGS | VM_LOCKED)) !== 0) throw refuse('EINVAL', 'access or locking differ');
  if ((src.flags & VM_WRITE) === 0) throw refuse('EINVAL', 'not writable');
  if (((src.flags | dst.flags) & VM_SPECIAL) !== 0 || !src.anonymous || !dst.anonymous)
    throw refuse('EINVAL', 'only anonymous memory can be moved');
}
