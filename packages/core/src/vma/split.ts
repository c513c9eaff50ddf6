import { KernelError } from '../errors.js';
import type { Machine } from '../machine.js';
import { type Op, READY } from '../sync/op.js';
import type { Address } from '../units.js';
import { adjustVmas, withStart } from './adjust.js';
import { dupVma, freeVma, setRange } from './alloc.js';
import type { VmArea } from './vma.js';

/** Cuts `vma` at `at`; the new VMA is the lower part if `newBelow`, else the upper (split_vma). @throws ENOMEM */
export function splitVma(m: Machine, vma: VmArea, at: Address, newBelow: boolean): Op<VmArea> {
  if (vma.mm.mapCount >= m.options.maxMapCount) {
    throw new KernelError('ENOMEM', 'split_vma', `the address space has ${vma.mm.mapCount} VMAs, the limit (max_map_count)`);
  }
  return splitVmaUnlimited(m, vma, at, newBelow);
}

/** The same where the limit was checked before (__split_vma). @throws NoMemory */
export function* splitVmaUnlimited(m: Machine, vma: VmArea, at: Address, newBelow: boolean): Op<VmArea> {
  const { mm } = vma;
  const part = yield* dupVma(m, mm, vma);
  const upper = withStart(vma, at, vma.end);
  if (newBelow) part.end = at;
  else setRange(part, at, vma.end, (vma.pgoff + (upper.anonPgoff - vma.anonPgoff)) as typeof vma.pgoff, upper.anonPgoff);
  try {
    yield* cloneRmap(m, part, vma, 'split');
  } catch (error) {
    freeVma(m, part);
    throw error;
  }
  const rest = newBelow ? upper : { vma, start: vma.start, end: at, anonPgoff: vma.anonPgoff };
  try {
    yield* adjustVmas(m, mm, [rest], part, []);
  } catch (error) {
    yield* unlinkRmap(m, part);
    freeVma(m, part);
    throw error;
  }
  return part;
}

type CloneReason = 'split' | 'move' | 'merge';

/** Lets the strategy make `to` hold what `from` holds, if there is anything (anon_vma_clone). @throws NoMemory, `to` clean */
export function cloneRmap(m: Machine, to: VmArea, from: VmArea, why: CloneReason): Op<void> {
  return from.faulted ? cloneFaulted(m, to, from, why) : READY;
}

function* cloneFaulted(m: Machine, to: VmArea, from: VmArea, why: CloneReason): Op<void> {
  const work = m.rmap.clone(to, from, why);
  if (work) yield* work;
  to.faulted = true;
}

/** Lets the strategy forget `vma`, if it knows it (unlink_anon_vmas). */
export function unlinkRmap(m: Machine, vma: VmArea): Op<void> {
  return vma.faulted ? unlinkFaulted(m, vma) : READY;
}

function* unlinkFaulted(m: Machine, vma: VmArea): Op<void> {
  const work = m.rmap.unlink(vma);
  if (work) yield* work;
  vma.faulted = false;
}
