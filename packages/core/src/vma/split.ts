import { KernelError } from '../errors.js';
import type { Machine } from '../machine.js';
import { finish, type Op, ready, run } from '../sync/op.js';
import type { Address, Pgoff } from '../units.js';
import { adjustVmas, type Change, withStart } from './adjust.js';
import { dupVma, freeVma, setRange } from './alloc.js';
import { cloneRmap, unlinkRmap } from './link.js';
import type { VmArea } from './vma.js';

/** Cuts `vma` at `at`; the new VMA is the lower part if `newBelow`, else the upper (split_vma). @throws ENOMEM */
export function splitVma(m: Machine, vma: VmArea, at: Address, newBelow: boolean): Op<VmArea> {
  if (vma.mm.mapCount >= m.options.maxMapCount) {
    throw new KernelError('ENOMEM', 'split_vma', `the address space has ${vma.mm.mapCount} VMAs, the limit (max_map_count)`);
  }
  return splitVmaUnlimited(m, vma, at, newBelow);
}

/** The same where the limit was checked before (__split_vma). @throws NoMemory */
export function splitVmaUnlimited(m: Machine, vma: VmArea, at: Address, newBelow: boolean): Op<VmArea> {
  if (m.sync.stepping) return splitStepping(m, vma, at, newBelow);
  const part = run(dupVma(m, vma.mm, vma));
  try {
    const rest = cut(vma, part, at, newBelow);
    finish(cloneRmap(m, part, vma, 'split'));
    finish(adjustVmas(m, vma.mm, [rest], part, []));
  } catch (error) {
    finish(unlinkRmap(m, part));
    freeVma(m, part);
    throw error;
  }
  return ready(part);
}

/** The same, giving way to others. */
function* splitStepping(m: Machine, vma: VmArea, at: Address, newBelow: boolean): Op<VmArea> {
  const part = yield* dupVma(m, vma.mm, vma);
  try {
    const rest = cut(vma, part, at, newBelow);
    yield* cloneRmap(m, part, vma, 'split');
    yield* adjustVmas(m, vma.mm, [rest], part, []);
  } catch (error) {
    yield* unlinkRmap(m, part);
    freeVma(m, part);
    throw error;
  }
  return part;
}

/** Gives `part`, a copy of `vma`, its range; the range that is left to `vma`. */
function cut(vma: VmArea, part: VmArea, at: Address, newBelow: boolean): Change {
  const upper = withStart(vma, at, vma.end);
  if (newBelow) {
    part.end = at;
    return upper;
  }
  setRange(part, at, vma.end, (vma.pgoff + (upper.anonPgoff - vma.anonPgoff)) as Pgoff, upper.anonPgoff);
  return { vma, start: vma.start, end: at, anonPgoff: vma.anonPgoff };
}
