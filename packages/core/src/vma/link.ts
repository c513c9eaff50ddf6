import type { Machine } from '../machine.js';
import { finish, type Op, READY } from '../sync/op.js';
import type { VmArea } from './vma.js';

/** Lets the strategy make `to` hold what `from` holds, if there is anything (anon_vma_clone). @throws NoMemory, `to` clean */
export function cloneRmap(m: Machine, to: VmArea, from: VmArea, why: 'split' | 'move' | 'merge'): Op<void> {
  if (!from.faulted) return READY;
  if (m.sync.stepping) return cloneStepping(m, to, from, why);
  finish(m.rmap.clone(to, from, why));
  to.faulted = true;
  return READY;
}

function* cloneStepping(m: Machine, to: VmArea, from: VmArea, why: 'split' | 'move' | 'merge'): Op<void> {
  const work = m.rmap.clone(to, from, why);
  if (work) yield* work;
  to.faulted = true;
}

/** Lets the strategy forget `vma`, if it knows it (unlink_anon_vmas). */
export function unlinkRmap(m: Machine, vma: VmArea): Op<void> {
  if (!vma.faulted) return READY;
  if (m.sync.stepping) return unlinkStepping(m, vma);
  finish(m.rmap.unlink(vma));
  vma.faulted = false;
  return READY;
}

function* unlinkStepping(m: Machine, vma: VmArea): Op<void> {
  const work = m.rmap.unlink(vma);
  if (work) yield* work;
  vma.faulted = false;
}
