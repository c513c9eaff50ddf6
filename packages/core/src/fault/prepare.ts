import type { Machine } from '../machine.js';
import type { Op } from '../sync/op.js';
import type { VmArea } from '../vma/vma.js';

/** What a kind of fault reports back: done, or to be looked at again with mmap_lock held (VM_FAULT_RETRY). */
export type FaultOutcome = 'done' | 'retry';

/** Makes sure that anonymous pages may be mapped in `vma`; false: only under mmap_lock, which can't be had now (vmf_anon_prepare). @throws NoMemory */
export function* prepareFault(m: Machine, vma: VmArea, underMmapLock: boolean): Op<boolean> {
  if (vma.faulted) return true;
  const { mmapLock } = vma.mm;
  const extra = !underMmapLock && m.prepareNeedsMmapLock;
  if (extra && !mmapLock.tryRead()) return false;
  try {
    const work = m.rmap.prepare(vma);
    if (work) yield* work;
    vma.faulted = true;
  } finally {
    if (extra) mmapLock.readUnlock();
  }
  return true;
}
