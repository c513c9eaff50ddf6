import { NoMemory } from '../errors.js';
import type { Machine } from '../machine.js';
import { dropMm } from '../mm/exit.js';
import { newMm } from '../mm/init.js';
import type { Mm } from '../mm/mm.js';
import { startWrite } from '../mm/vma-lock.js';
import { copyPageRange } from '../page-table/copy.js';
import { finish, type Op, READY, ready, run } from '../sync/op.js';
import { dupVma, freeVma } from '../vma/alloc.js';
import { VM_DONTCOPY, VM_IO, VM_LOCKED, VM_MAYBE_GUARD, VM_UFFD_MISSING, VM_WIPEONFORK } from '../vma/vm-flags.js';
import type { VmArea } from '../vma/vma.js';

/** fork(2)'s address space: a copy of `parent` with the private pages shared until written (dup_mm). @throws NoMemory, nothing left of the child */
export function forkMm(m: Machine, parent: Mm): Op<Mm> {
  if (m.sync.stepping) return forkStepping(m, parent);
  const child = run(newMm(m));
  finish(parent.mmapLock.write());
  finish(child.mmapLock.write());
  let failure: NoMemory | null = null;
  try {
    finish(copyMm(m, child, parent));
  } catch (error) {
    failure = outOfMemory(error);
  }
  child.writeUnlock();
  parent.writeUnlock();
  if (failure === null) return ready(child);
  finish(dropMm(m, child));
  throw failure;
}

/** The same, giving way to others. */
function* forkStepping(m: Machine, parent: Mm): Op<Mm> {
  const child = yield* newMm(m);
  yield* parent.mmapLock.write();
  yield* child.mmapLock.write();
  let failure: NoMemory | null = null;
  try {
    yield* copyMm(m, child, parent);
  } catch (error) {
    failure = outOfMemory(error);
  }
  child.writeUnlock();
  parent.writeUnlock();
  if (failure === null) return child;
  yield* dropMm(m, child);
  throw failure;
}

/** What a fork is undone for. Whatever else a strategy throws says what is wrong with it; hooks that undo could only hide that. */
function outOfMemory(error: unknown): NoMemory {
  if (error instanceof NoMemory) return error;
  throw error;
}

function copyMm(m: Machine, child: Mm, parent: Mm): Op<void> {
  child.startBrk = parent.startBrk;
  child.brk = parent.brk;
  if (m.ksm.mms.has(parent.id)) m.ksm.mms.set(child.id, child);
  if (m.rmap.forkMm !== undefined) return m.rmap.forkMm(child, parent, () => copyVmas(m, child, parent));
  return copyVmas(m, child, parent);
}

/** All VMAs and entries, in address order (dup_mmap). @throws NoMemory; what was copied stays in the child */
function copyVmas(m: Machine, child: Mm, parent: Mm): Op<void> {
  if (m.sync.stepping) return copyStepping(m, child, parent);
  for (let vma = parent.tree.first(); vma !== null; vma = parent.tree.next(vma)) {
    finish(startWrite(m, vma));
    if ((vma.flags & VM_DONTCOPY) !== 0) continue;
    const copy = run(dupVma(m, child, vma));
    copy.flags &= ~NOT_INHERITED;
    if (inherits(vma)) forkRmap(m, copy, vma);
    insert(m, child, copy, vma);
    if (needsCopy(vma)) finish(copyPageRange(m, copy, vma));
  }
  return READY;
}

/** The same, giving way to others. */
function* copyStepping(m: Machine, child: Mm, parent: Mm): Op<void> {
  for (let vma = parent.tree.first(); vma !== null; vma = parent.tree.next(vma)) {
    yield* startWrite(m, vma);
    if ((vma.flags & VM_DONTCOPY) !== 0) continue;
    const copy = yield* dupVma(m, child, vma);
    copy.flags &= ~NOT_INHERITED;
    if (inherits(vma)) yield* forkRmapStepping(m, copy, vma);
    insert(m, child, copy, vma);
    if (needsCopy(vma)) yield* copyPageRange(m, copy, vma);
  }
}

/** A child locks nothing, and its parent's userfaultfd asked for no events of forks (dup_userfaultfd). */
const NOT_INHERITED = VM_LOCKED | VM_UFFD_MISSING;

/** Whether the strategy has something to hand on. */
const inherits = ({ faulted, flags }: VmArea): boolean => faulted && (flags & VM_WIPEONFORK) === 0;

/** @throws NoMemory, `copy` is gone */
function forkRmap(m: Machine, copy: VmArea, vma: VmArea): void {
  try {
    finish(m.rmap.fork(copy, vma));
  } catch (error) {
    freeVma(m, copy);
    throw error;
  }
}

/** The same, giving way to others. */
function* forkRmapStepping(m: Machine, copy: VmArea, vma: VmArea): Op<void> {
  try {
    const work = m.rmap.fork(copy, vma);
    if (work) yield* work;
  } catch (error) {
    freeVma(m, copy);
    throw error;
  }
}

function insert(m: Machine, child: Mm, copy: VmArea, vma: VmArea): void {
  copy.faulted = inherits(vma);
  child.tree.insert(copy);
  copy.attached = true;
  child.mapCount++;
  if (copy.file !== null) m.iMmapLock.writes++;
}

/** What can be had by a fault again need not be copied: only memory with anonymous pages or markers is (vma_needs_copy). */
const needsCopy = (vma: VmArea): boolean =>
  (vma.flags & VM_WIPEONFORK) === 0 && (vma.faulted || (vma.flags & (VM_IO | VM_MAYBE_GUARD)) !== 0);
