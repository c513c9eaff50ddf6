import type { Machine } from '../machine.js';
import type { Mm } from '../mm/mm.js';
import type { Op } from '../sync/op.js';
import { type Address, alignDown, PAGE_SIZE } from '../units.js';
import { adjustVmas, withStart } from '../vma/adjust.js';
import { MMAP_MIN_ADDR, STACK_GUARD_GAP } from '../vma/unmapped-area.js';
import { VM_ACCESS_FLAGS, VM_GROWSDOWN } from '../vma/vm-flags.js';
import type { VmArea } from '../vma/vma.js';
import { prepareFault } from './prepare.js';

/** Lets the stack above `address` grow down to it, under mmap_lock held for writing; whether it could (expand_stack). @throws NoMemory */
export function* growStack(m: Machine, mm: Mm, address: Address): Op<boolean> {
  const vma = mm.tree.find(address);
  if (vma === null || (vma.flags & VM_GROWSDOWN) === 0) return false;
  return vma.start <= address || (yield* expandDownwards(m, vma, alignDown(address) as Address));
}

/** Moves the start of a stack down to `start`, if limit and neighbour allow it (expand_downwards). @throws NoMemory */
export function* expandDownwards(m: Machine, vma: VmArea, start: Address): Op<boolean> {
  if (start < MMAP_MIN_ADDR) return false;
  const prev = vma.mm.tree.prev(vma);
  if (prev !== null) {
    const needsGap = (prev.flags & VM_GROWSDOWN) === 0 && (prev.flags & VM_ACCESS_FLAGS) !== 0;
    if (start - prev.end < (needsGap ? STACK_GUARD_GAP : 0)) return false;
  }
  yield* prepareFault(m, vma, true);
  if ((vma.start - start) / PAGE_SIZE > vma.pgoff || vma.end - start > m.options.stackLimit) return false;
  yield* adjustVmas(m, vma.mm, [withStart(vma, start, vma.end)], null, []);
  return true;
}
