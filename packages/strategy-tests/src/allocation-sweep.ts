import * as linux from '@rmap-lab/core';
import { Kernel, OPERATION_KINDS, type Operation, ProgramRun } from '@rmap-lab/core';
import { describe, expect, it } from 'vitest';
import type { Subject } from './subject.js';

const process = 0;
const RW = linux.PROT_READ | linux.PROT_WRITE;
const map = (at: number, pages: number, memory: 'private' | 'file-private' | 'shared' = 'private'): Operation => ({
  op: 'mmap',
  process,
  at,
  pages,
  prot: RW,
  flags: 0,
  memory,
  offset: 0,
});
const advise = (at: number, pages: number, advice: number): Operation => ({ op: 'madvise', process, at, pages, advice });
const write = (at: number): Operation => ({ op: 'write', process, at });
const move = (at: number, pages: number, to: number, dontUnmap = false): Operation => ({
  op: 'mremap',
  process,
  at,
  pages,
  newPages: pages,
  to,
  dontUnmap,
});
const fork: Operation = { op: 'fork', process };
const on = (op: 'reclaim' | 'migrate' | 'startMigration', at: number): Operation => ({ op, process, at });
const plain = (
  op: 'swapOff' | 'finishMigrations' | 'ksmScan' | 'khugepagedScan' | 'ksmUnmerge' | 'splitDeferred' | 'exec' | 'thread' | 'exit',
): Operation => ({
  op,
  process,
});

/** Eight touched pages, shared with a child. */
const SHARED = [map(10, 8), write(10), write(12), fork];
/** A folio of PMD size at page 512, in a VMA with room around it. */
const HUGE = [map(500, 1100), advise(500, 1100, linux.MADV_HUGEPAGE), write(512)];
/** Two pages of equal contents that KSM may merge. */
const EQUAL: Operation[] = [
  map(10, 8),
  advise(10, 8, linux.MADV_MERGEABLE),
  { op: 'fill', process, at: 10, pattern: 1 },
  { op: 'fill', process, at: 13, pattern: 1 },
];

/** What is set up, and the operation whose every allocation fails in turn. */
const cases: readonly (readonly [what: string, setup: readonly Operation[], operation: Operation])[] = [
  ['mmap', [], map(10, 4)],
  ['mmap over a part of faulted memory', [map(10, 8), write(10)], map(12, 2)],
  ['munmap of a middle', SHARED, { op: 'munmap', process, at: 12, pages: 2 }],
  ['munmap of a part of a large folio', HUGE, { op: 'munmap', process, at: 600, pages: 3 }],
  ['mlock', [map(10, 8)], { op: 'mlock', process, at: 12, pages: 2 }],
  ['munlock of a part', [map(10, 8), { op: 'mlock', process, at: 10, pages: 8 }], { op: 'munlock', process, at: 12, pages: 2 }],
  ['mprotect of a middle', SHARED, { op: 'mprotect', process, at: 12, pages: 2, prot: linux.PROT_READ }],
  ['mprotect of a part of a large folio', HUGE, { op: 'mprotect', process, at: 600, pages: 3, prot: linux.PROT_READ }],
  ['madvise that splits a VMA', SHARED, advise(12, 2, linux.MADV_DONTFORK)],
  ['guard pages', SHARED, advise(11, 3, linux.MADV_GUARD_INSTALL)],
  ['MADV_POPULATE_WRITE', [map(10, 8)], advise(10, 8, linux.MADV_POPULATE_WRITE)],
  ['MADV_COLLAPSE', [map(512, 512), write(512), write(700)], advise(512, 512, linux.MADV_COLLAPSE)],
  ['MADV_FREE of a part of a large folio', HUGE, advise(600, 3, linux.MADV_FREE)],
  ['MADV_PAGEOUT of a part of a large folio', HUGE, advise(600, 3, linux.MADV_PAGEOUT)],
  ['MADV_UNMERGEABLE', [...EQUAL, plain('ksmScan')], advise(10, 2, linux.MADV_UNMERGEABLE)],
  ['a move', SHARED, move(11, 4, 600)],
  ['a move that leaves its source', SHARED, move(10, 8, 600, true)],
  ['a move of a large folio', HUGE, move(512, 512, 2048)],
  ['a move of a large folio to an unaligned place', HUGE, move(512, 512, 2050)],
  ['a move of pages of KSM', [...EQUAL, plain('ksmScan')], move(10, 4, 600)],
  [
    'growth in place',
    [map(10, 4), write(10)],
    { op: 'mremap', process, at: 10, pages: 4, newPages: 6, to: null, dontUnmap: false },
  ],
  ['brk', [], { op: 'brk', process, pages: 4 }],
  ['a read', [map(10, 4)], { op: 'read', process, at: 10 }],
  ['a first write', [map(10, 4)], write(10)],
  ['a write to a shared page', SHARED, write(10)],
  ['a first write to a private file page', [map(10, 4, 'file-private')], write(10)],
  ['a first write to a folio of four pages', [map(16, 8)], write(17)],
  ['a first write of PMD size', HUGE.slice(0, 2), write(512)],
  ['a write to the huge zero page', [...HUGE.slice(0, 2), { op: 'read', process, at: 512 }], write(512)],
  ['a write to a shared folio of PMD size', [...HUGE, fork], write(600)],
  ['swap-in', [map(10, 4), write(10), on('reclaim', 10)], write(10)],
  ['swap-in of a shared page', [...SHARED, on('reclaim', 10)], { op: 'read', process, at: 10 }],
  ['a write to a page of KSM', [...EQUAL, plain('ksmScan')], write(10)],
  ['a store of equal contents', [map(10, 4)], { op: 'fill', process, at: 10, pattern: 3 }],
  ['fork', [map(10, 4), write(10), map(20, 4), write(20)], fork],
  ['fork of a folio of PMD size', HUGE, fork],
  ['fork of swap and migration entries', [map(10, 4), write(10), write(11), on('reclaim', 10), on('startMigration', 11)], fork],
  ['a thread', [], plain('thread')],
  ['exec', SHARED, plain('exec')],
  ['exit', SHARED, plain('exit')],
  ['reclaim', SHARED, on('reclaim', 10)],
  ['reclaim of a large folio', HUGE, on('reclaim', 512)],
  ['swapoff', [...SHARED, write(12), on('reclaim', 10), on('reclaim', 12)], plain('swapOff')],
  ['a migration', SHARED, on('migrate', 10)],
  ['a migration of a folio of PMD size', HUGE, on('migrate', 512)],
  ['the first half of a migration', SHARED, on('startMigration', 10)],
  ['the second half of a migration', [...SHARED, on('startMigration', 10)], plain('finishMigrations')],
  ['a folio split', HUGE, { op: 'splitFolio', process, at: 512, order: 2, unequal: true }],
  ['the split of a folio mapped in part', [...HUGE, { op: 'munmap', process, at: 600, pages: 3 }], plain('splitDeferred')],
  ['UFFDIO_MOVE', [map(10, 4), write(10), map(700, 4)], { op: 'uffdMove', process, to: 700, from: 10, pages: 1 }],
  ['UFFDIO_MOVE out of a large folio', [...HUGE, map(10, 4)], { op: 'uffdMove', process, to: 10, from: 520, pages: 1 }],
  [
    'a pass of khugepaged',
    [map(512, 512), write(512), write(700), advise(512, 512, linux.MADV_HUGEPAGE)],
    plain('khugepagedScan'),
  ],
  ['a pass of KSM', EQUAL, plain('ksmScan')],
  ['the end of KSM', [...EQUAL, plain('ksmScan')], plain('ksmUnmerge')],
];

const thp = { orders: { 2: 'always', 9: 'madvise' } } as const;

function start({ strategy }: Subject, setup: readonly Operation[]): ProgramRun {
  const run = new ProgramRun(new Kernel({ strategy: strategy(), thp, checked: true }));
  for (const operation of setup) expect(run.apply(operation), operation.op).toBe('ok');
  return run;
}

function end({ kernel, processes }: ProgramRun): void {
  kernel.finishMigrations();
  for (const each of [...processes]) each.exit();
  kernel.ksmUnmerge();
  const { slab, tables, swap } = kernel.stats();
  expect(Object.entries(slab).filter(([, { live }]) => live > 0)).toEqual([]);
  expect({ tables: tables.live, swap: swap.live, cached: swap.cached }).toEqual({ tables: 0, swap: 0, cached: 0 });
  kernel.verify();
}

/** Describes: with any allocation failing, every kind of operation answers as the kernel does, leaves all in order, and works when repeated. */
export function allocationSweep(subject: Subject): void {
  describe('with any allocation failing', () => {
    it.each(cases)(
      '%s answers as the kernel does, leaves everything right and nothing behind, and works when repeated',
      (...row) => failEach(subject, row),
    );

    it('every kind of operation has a case', () => {
      const covered = new Set(cases.map(([, , { op }]) => op));
      expect(OPERATION_KINDS.filter((kind) => !covered.has(kind))).toEqual([]);
    });
  });
}

function failEach(subject: Subject, [, setup, operation]: (typeof cases)[number]): void {
  expect(start(subject, setup).apply(operation)).toBe('ok');
  const allowed = operation.op === 'madvise' || operation.op === 'mlock' ? ['ok', 'ENOMEM', 'EAGAIN'] : ['ok', 'ENOMEM'];
  for (let n = 1; ; n++) {
    const run = start(subject, setup);
    const audit = subject.audit();
    const before = run.kernel.allocations;
    run.kernel.failNextAllocation(n);
    const answer = run.apply(operation);
    run.kernel.failNextAllocation(0);
    const reached = run.kernel.allocations - before >= n;
    expect(allowed, `allocation ${n}`).toContain(answer);
    run.kernel.verify();
    expect(audit(run.kernel), `allocation ${n}`).toBeNull();
    if (answer !== 'ok') expect(run.apply(operation), `again after allocation ${n}`).toBe('ok');
    run.kernel.verify();
    end(run);
    if (!reached) break;
  }
}
