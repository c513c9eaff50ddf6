import type { Machine } from '../machine.js';
import { zapRange } from '../page-table/zap.js';
import { type Op, run } from '../sync/op.js';
import { pageOf, TASK_SIZE } from '../units.js';
import { freeVma } from '../vma/alloc.js';
import { unlinkRmap } from '../vma/link.js';
import type { VmArea } from '../vma/vma.js';
import { freeMm } from './init.js';
import type { Mm } from './mm.js';
import { startWrite } from './vma-lock.js';

/** Drops one use of an address space; the last one tears it down (mmput). */
export function* dropMm(m: Machine, mm: Mm): Op<void> {
  if (--mm.users > 0) return;
  yield* exitMmap(m, mm);
  const work = m.rmap.mmExit?.(mm);
  if (work) yield* work;
  freeMm(m, mm);
}

/** Drops a strategy's pin; the last use leaves the teardown to a worker (mmput_async). */
export function putMm(m: Machine, mm: Mm): void {
  if (mm.users > 1) mm.users--;
  else if (m.sync.stepping) m.deferred.push(() => dropMm(m, mm));
  else run(dropMm(m, mm));
}

/** Unmaps everything: first all pages, then, VMA by VMA, the reverse map, then the page tables (exit_mmap). */
function* exitMmap(m: Machine, mm: Mm): Op<void> {
  yield* mm.mmapLock.read();
  const vmas: VmArea[] = [...mm.tree];
  for (const vma of vmas) yield* zapRange(m, vma, vma.start, vma.end);
  mm.mmapLock.readUnlock();
  yield* mm.mmapLock.write();
  mm.forgetShortcuts();
  for (const vma of vmas) {
    yield* startWrite(m, vma);
    yield* unlinkRmap(m, vma);
    if (vma.file !== null) m.iMmapLock.writes++;
  }
  m.tables.freeRange(mm.pgd, 0, pageOf(TASK_SIZE), 0, Number.POSITIVE_INFINITY);
  mm.tree.clear();
  mm.mapCount = 0;
  for (const vma of vmas) freeVma(m, vma);
  mm.writeUnlock();
}
