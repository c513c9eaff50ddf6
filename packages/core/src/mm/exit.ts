import type { Machine } from '../machine.js';
import { PMD_SIZE } from '../page-table/page-table.js';
import { zapRange } from '../page-table/zap.js';
import { finish, type Op, READY, run } from '../sync/op.js';
import { PAGE_SIZE } from '../units.js';
import { freeVma } from '../vma/alloc.js';
import { unlinkRmap } from '../vma/link.js';
import type { VmArea } from '../vma/vma.js';
import { freeMm } from './init.js';
import type { Mm } from './mm.js';
import { startWrite } from './vma-lock.js';

/** Drops one use of an address space; the last one tears it down (mmput). */
export function dropMm(m: Machine, mm: Mm): Op<void> {
  if (m.sync.stepping) return dropStepping(m, mm);
  if (--mm.users > 0) return READY;
  exitMmap(m, mm);
  if (m.rmap.mmExit !== undefined) finish(m.rmap.mmExit(mm));
  freeMm(m, mm);
  return READY;
}

/** The same, giving way to others. */
function* dropStepping(m: Machine, mm: Mm): Op<void> {
  if (--mm.users > 0) return;
  yield* exitStepping(m, mm);
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
function exitMmap(m: Machine, mm: Mm): void {
  finish(mm.mmapLock.read());
  const vmas = mm.tree.all();
  for (const vma of vmas) finish(zapRange(m, vma, vma.start, vma.end));
  mm.mmapLock.readUnlock();
  finish(mm.mmapLock.write());
  mm.forgetShortcuts();
  for (const vma of vmas) {
    finish(startWrite(m, vma));
    finish(unlinkRmap(m, vma));
  }
  release(m, mm, vmas);
}

/** The same, giving way to others. */
function* exitStepping(m: Machine, mm: Mm): Op<void> {
  yield* mm.mmapLock.read();
  const vmas = mm.tree.all();
  for (const vma of vmas) yield* zapRange(m, vma, vma.start, vma.end);
  mm.mmapLock.readUnlock();
  yield* mm.mmapLock.write();
  mm.forgetShortcuts();
  for (const vma of vmas) {
    yield* startWrite(m, vma);
    yield* unlinkRmap(m, vma);
  }
  release(m, mm, vmas);
}

/** Page tables and VMAs go, and mmap_lock is left. */
function release(m: Machine, mm: Mm, vmas: readonly VmArea[]): void {
  for (const vma of vmas) if (vma.file !== null) m.iMmapLock.writes++;
  freeTables(m, mm, vmas);
  mm.tree.clear();
  mm.mapCount = 0;
  for (const vma of vmas) freeVma(m, vma);
  mm.writeUnlock();
}

/** Frees all page tables, below one run of VMAs after the other (free_pgtables): those that are not near each other have few in common. */
function freeTables(m: Machine, mm: Mm, vmas: readonly VmArea[]): void {
  for (let i = 0; i < vmas.length; i++) {
    const { start } = vmas[i];
    while (i + 1 < vmas.length && vmas[i + 1].start <= vmas[i].end + PMD_SIZE) i++;
    const ceiling = i + 1 < vmas.length ? vmas[i + 1].start : Number.POSITIVE_INFINITY;
    m.tables.freeRange(mm.pgd, start / PAGE_SIZE, vmas[i].end / PAGE_SIZE, 0, ceiling / PAGE_SIZE);
  }
}
