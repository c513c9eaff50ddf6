import {
  type Feature,
  Kernel,
  type KernelOptions,
  MADV_COLLAPSE,
  MADV_DONTNEED,
  MADV_HUGEPAGE,
  MADV_MERGEABLE,
  messageOf,
  NoMemory,
  type Operation,
  ProgramRun,
  type RmapStrategy,
  Unsupported,
} from '@rmap-lab/core';
import { CaseFailure, type ConformanceCase } from '../case.js';
import { withHooks } from '../facade.js';
import { monitored } from '../monitor.js';
import {
  advise,
  brk,
  exec,
  exit,
  fill,
  finishMigrations,
  fork,
  ksmScan,
  ksmUnmerge,
  map,
  migrate,
  move,
  moveKeeping,
  munmap,
  protect,
  RO,
  reclaim,
  resize,
  splitFolio,
  startMigration,
  swapOff,
  uffdMove,
  write,
} from '../operations.js';
import { endOf, pictures } from '../program-case.js';
import { type RuleId, ruleOf } from '../rules.js';

const SHARED = [map(10, 8), write(10), write(12), fork()];
const HUGE = [map(500, 1100), advise(500, 1100, MADV_HUGEPAGE), write(512)];
const EQUAL = [map(10, 8), advise(10, 8, MADV_MERGEABLE), fill(10, 1), fill(13, 1)];

/** A set-up, and an operation of which every allocation fails in turn. */
const sweeps: readonly (readonly [
  name: string,
  title: string,
  setup: readonly Operation[],
  operation: Operation,
  rule?: RuleId,
  needs?: readonly Feature[],
])[] = [
  ['first-fault', 'a first fault', [map(10, 4)], write(10)],
  [
    'first-fault-beside-touched',
    'a first fault beside touched memory',
    [map(10, 4), write(10), protect(12, 2, RO), protect(12, 2, 7)],
    write(13),
  ],
  ['copy', 'a copy on write', SHARED, write(10)],
  ['map-over', 'mmap over a part of touched memory', [map(10, 8), write(10)], map(12, 2)],
  ['map-between', 'mmap between two touched mappings', [map(10, 2), write(10), map(14, 2), write(14)], map(12, 2)],
  ['munmap-middle', 'munmap of a middle', SHARED, munmap(12, 2)],
  ['munmap-all', 'munmap of everything', SHARED, munmap(10, 8)],
  ['mprotect-middle', 'mprotect of a middle', SHARED, protect(12, 2, RO)],
  ['mprotect-back', 'mprotect that merges three parts', [...SHARED, protect(12, 2, RO)], protect(12, 2, 3)],
  ['mprotect-boundary', 'mprotect that moves a boundary', [...SHARED, protect(10, 4, RO)], protect(14, 2, RO)],
  ['mprotect-in-a-child', "mprotect of a middle in a child, with its parent's links", SHARED, protect(12, 2, RO, 1)],
  ['mremap-in-a-child', 'a move of a part in a child', SHARED, move(12, 2, 40, 1)],
  ['mremap', 'a move', SHARED, move(10, 8, 40)],
  ['mremap-part', 'a move of a part', SHARED, move(12, 2, 40)],
  ['mremap-merge', 'a move that merges at its destination', [...SHARED, move(12, 2, 40)], move(40, 2, 12)],
  ['mremap-dontunmap', 'a move that keeps its source', SHARED, moveKeeping(10, 8, 40)],
  ['mremap-grow', 'growth in place', [map(10, 4), write(10)], resize(10, 4, 8)],
  ['mremap-table', 'a move of whole page tables', [map(512, 1024), write(520), write(1100), fork()], move(512, 1024, 4096)],
  ['brk', 'a heap that grows', [brk(2)], brk(4)],
  ['fork', 'fork', [map(10, 4), write(10), map(20, 4), write(20), map(30, 4), write(30)], fork(), 'R9'],
  ['fork-of-a-child', 'fork of a child with pages of its own', [...SHARED, write(10, 1), write(11, 1)], fork(1), 'R9'],
  ['fork-of-moved', 'fork of memory that had moved', [map(10, 4), write(10), move(10, 4, 40)], fork(), 'R9'],
  ['exec', 'exec', SHARED, exec()],
  ['exit', 'exit, which allocates nothing', SHARED, exit(), 'R3'],
  ['dontneed', 'MADV_DONTNEED, which allocates nothing', SHARED, advise(10, 8, MADV_DONTNEED), 'R3'],
  ['reclaim', 'page-out', SHARED, reclaim(10), 'R2', ['swap']],
  ['swapoff', 'swapoff', [...SHARED, reclaim(10), reclaim(12)], swapOff, 'R2', ['swap']],
  ['migrate', 'migration', SHARED, migrate(10), 'R2', ['migrate']],
  ['migrate-first-half', 'the first half of a migration', SHARED, startMigration(10), 'R2', ['migrate']],
  ['migrate-second-half', 'the second half of a migration', [...SHARED, startMigration(10)], finishMigrations, 'R2', ['migrate']],
  ['fork-under-migration', 'fork of migration entries', [map(10, 4), write(10), startMigration(10)], fork(), 'R9', ['migrate']],
  ['split-folio', 'a folio split', [...HUGE, fork()], splitFolio(512), 'R2', ['large-folio', 'folio-split']],
  ['munmap-in-a-huge-page', 'munmap of a part of a huge page', HUGE, munmap(600, 3), 'R2', ['large-folio']],
  ['fork-of-a-huge-page', 'fork of a huge page', HUGE, fork(), 'R9', ['large-folio']],
  ['write-to-a-shared-huge-page', 'a write to a shared huge page', [...HUGE, fork()], write(600, 1), 'R2', ['large-folio']],
  ['move-of-a-huge-page', 'a move of a huge page', HUGE, move(512, 512, 4096), 'R2', ['large-folio']],
  [
    'collapse',
    'collapse',
    [map(512, 512), write(512), write(700)],
    advise(512, 512, MADV_COLLAPSE),
    'R2',
    ['large-folio', 'collapse'],
  ],
  ['ksm', 'a pass of KSM', EQUAL, ksmScan, 'R2', ['ksm']],
  ['ksm-unmerge', 'the end of KSM', [...EQUAL, ksmScan], ksmUnmerge, 'R2', ['ksm']],
  ['uffd-move', 'UFFDIO_MOVE', [map(10, 4), write(10), map(700, 4)], uffdMove(10, 700), 'R2', ['uffd-move']],
];

/** With large folios, where the strategy takes them. */
const machine = (strategy: RmapStrategy): KernelOptions => ({
  strategy: monitored(strategy),
  checked: true,
  ...(strategy.unsupported?.['large-folio'] === undefined && { thp: { orders: { 2: 'always', 9: 'madvise' } } }),
});

function start(strategy: RmapStrategy, setup: readonly Operation[]): ProgramRun {
  const run = new ProgramRun(new Kernel(machine(strategy)));
  for (const operation of setup) run.apply(operation);
  return run;
}

/** An operation that allocates more often allocates for each of many entries: then not each of them fails. */
const FIRST = 64;
const LAST = 8;
const STRIDE = 16;

/**
 * Fails the n-th allocation of the last operation, or the n-th and the one after it, for every n there is, or of many for the first, the
 * last and every 16th: the answer is the kernel's, and all stays right.
 */
function sweep(strategy: RmapStrategy, setup: readonly Operation[], operation: Operation): void {
  const total = allocationsOf(start(strategy, setup), operation);
  failing(strategy, setup, operation, 1, total);
  failing(strategy, setup, operation, 2, total);
}

function allocationsOf(run: ProgramRun, operation: Operation): number {
  const before = run.kernel.allocations;
  try {
    run.apply(operation);
  } catch {
    // Whoever fails with memory fails without it, and is told how.
  }
  return run.kernel.allocations - before;
}

function failing(strategy: RmapStrategy, setup: readonly Operation[], operation: Operation, times: number, total: number): void {
  for (let n = 1; ; n++) {
    if (n > FIRST && n <= total - LAST && n % STRIDE !== 0) continue;
    const run = start(strategy, setup);
    const { kernel } = run;
    const before = kernel.allocations;
    kernel.failNextAllocation(n, times);
    let step = 'with it failing';
    try {
      const answer = run.apply(operation);
      kernel.failNextAllocation(0);
      const reached = kernel.allocations - before >= n;
      if (!['ok', 'ENOMEM', 'EAGAIN'].includes(answer)) throw new Error(`the answer is ${answer}`);
      kernel.verify();
      step = 'when repeated';
      if (answer !== 'ok' && run.apply(operation) !== 'ok') throw new Error('it fails again, with memory');
      kernel.verify();
      step = 'after the last exit';
      endOf(run);
      if (!reached) return;
    } catch (error) {
      if (error instanceof Unsupported) throw error;
      const which = times === 1 ? `allocation ${n}` : `allocations ${n} and ${n + 1}`;
      const message = `${which} of the last operation, ${step}: ${messageOf(error)}`;
      throw new CaseFailure(message, {
        program: [...setup, operation],
        ...pictures(machine(strategy), setup, kernel),
      });
    }
  }
}

/** Set-ups, and an operation in which memory runs out before each page table's worth of entries in turn. */
const halfWay: readonly (readonly [
  name: string,
  title: string,
  setup: readonly Operation[],
  operation: Operation,
  rule: RuleId,
])[] = [
  [
    'mremap-half-way',
    'a move of memory in three page tables',
    [map(500, 1100), write(505), write(600), write(1500), fork()],
    move(500, 1100, 4000),
    'R10',
  ],
  ['mremap-merge-half-way', 'a move that merges', [...SHARED, move(12, 2, 40), map(2, 8), write(2)], move(40, 2, 12), 'R10'],
  [
    'fork-half-way',
    'a fork of memory in three page tables',
    [map(500, 1100), write(505), write(600), write(1500), move(500, 50, 4000), write(4001)],
    fork(),
    'R9',
  ],
];

/**
 * Memory for the n-th page table's worth of entries is refused, where the strategy could have refused it itself, for every n there is:
 * core undoes what was done, by the same hooks, and no page is lost.
 */
function failHalfWay(strategy: RmapStrategy, setup: readonly Operation[], operation: Operation): void {
  for (let n = 1; ; n++) {
    let left = 0;
    const short = withHooks(monitored(strategy), (rmap) => {
      const { reserve } = rmap;
      rmap.reserve = (pages) => {
        if (left > 0 && --left === 0) throw new NoMemory('reserve');
        return reserve?.(pages);
      };
    });
    const run = new ProgramRun(new Kernel({ strategy: short, checked: true }));
    for (const each of setup) run.apply(each);
    const { kernel } = run;
    try {
      const { mappings } = kernel.verify();
      left = n;
      const answer = run.apply(operation);
      const over = left > 0;
      left = 0;
      if (answer !== (over ? 'ok' : 'ENOMEM')) throw new Error(`the answer is ${answer}`);
      const now = kernel.verify().mappings;
      if (!over && now !== mappings) throw new Error(`${mappings} entries mapped pages before, ${now} do after it was undone`);
      if (!over && run.apply(operation) !== 'ok') throw new Error('it fails again, with memory');
      kernel.verify();
      endOf(run);
      if (over) return;
    } catch (error) {
      throw new CaseFailure(`without memory for page table ${n} of the last operation: ${messageOf(error)}`, {
        rule: ruleOf(error),
        program: [...setup, operation],
        ...pictures({ strategy }, setup, kernel),
      });
    }
  }
}

const halfWayCases: readonly ConformanceCase[] = halfWay.map(([name, title, setup, operation, rule]) => ({
  id: `failure/${name}`,
  level: 'failure',
  rule,
  strength: 'must',
  needs: [],
  title: `${title}: with memory running out half way, all is undone and nothing is lost`,
  why: 'move_page_tables returns early and is called again the other way round; dup_mmap, exit_mmap of a half-made child',
  run: ({ strategy }) => failHalfWay(strategy, setup, operation),
}));

/** Memory that runs out, at every allocation of every kind of operation. */
const everyAllocation: readonly ConformanceCase[] = sweeps.map(([name, title, setup, operation, rule = 'R2', needs = []]) => ({
  id: `failure/${name}`,
  level: 'failure',
  rule,
  strength: 'must',
  needs,
  title: `${title}: with any allocation failing nothing is lost or left`,
  why: 'fault injection (failslab); the undo paths of the kernel function at work',
  run: ({ strategy }) => sweep(strategy, setup, operation),
}));

/** Both. */
export const failures: readonly ConformanceCase[] = [...everyAllocation, ...halfWayCases];
