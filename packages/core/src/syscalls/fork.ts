import type { Machine } from '../machine.js';
import { dropMm } from '../mm/exit.js';
import { newMm } from '../mm/init.js';
import type { Mm } from '../mm/mm.js';
import { startWrite } from '../mm/vma-lock.js';
import { copyPageRange } from '../page-table/copy.js';
import type { Op } from '../sync/op.js';
import { dupVma, freeVma } from '../vma/alloc.js';
import { VM_DONTCOPY, VM_IO, VM_LOCKED, VM_MAYBE_GUARD, VM_WIPEONFORK } from '../vma/vm-flags.js';
import type { VmArea } from '../vma/vma.js';

/** fork(2)'s address space: a copy of `parent` with the private pages shared until written (dup_mm). @throws NoMemory, nothing left of the child */
export function* forkMm(m: Machine, parent: Mm): Op<Mm> {
  const child = yield* newMm(m);
  child.startBrk = parent.startBrk;
  child.brk = parent.brk;
  yield* parent.mmapLock.write();
  yield* child.mmapLock.write();
  let failure: unknown = null;
  try {
    const copy = (): Op<void> => copyVmas(m, child, parent);
    if (m.ksm.mms.has(parent.id)) m.ksm.mms.set(child.id, child);
    if (m.rmap.forkMm) yield* m.rmap.forkMm(child, parent, copy);
    else yield* copy();
  } catch (error) {
    failure = error;
  } finally {
    child.writeUnlock();
    parent.writeUnlock();
  }
  if (failure === null) return child;
  yield* dropMm(m, child);
  throw failure;
}

/** All VMAs and entries, in address order (dup_mmap). @throws NoMemory; what was copied stays in the child */
function* copyVmas(m: Machine, child: Mm, parent: Mm): Op<void> {
  for (let vma = parent.tree.first(); vma !== null; vma = parent.tree.next(vma)) {
    yield* startWrite(m, vma);
    if ((vma.flags & VM_DONTCOPY) !== 0) continue;
    const copy = yield* dupVma(m, child, vma);
    copy.flags &= ~VM_LOCKED;
    if (vma.faulted && (vma.flags & VM_WIPEONFORK) === 0) {
      try {
        const work = m.rmap.fork(copy, vma);
        if (work) yield* work;
      } catch (error) {
        freeVma(m, copy);
        throw error;
      }
      copy.faulted = true;
    }
    child.tree.insert(copy);
    copy.attached = true;
    child.mapCount++;
    if (copy.file !== null) m.iMmapLock.writes++;
    if (needsCopy(vma)) yield* copyPageRange(m, copy, vma);
  }
}

/** What can be had by a fault again need not be copied: only memory with anonymous pages or markers is (vma_needs_copy). */
const needsCopy = (vma: VmArea): boolean =>
  (vma.flags & VM_WIPEONFORK) === 0 && (vma.faulted || (vma.flags & (VM_IO | VM_MAYBE_GUARD)) !== 0);
