import fc from 'fast-check';
import type { Operation } from '../../src/index.js';
import * as core from '../../src/index.js';

const ADVICE = [
  core.MADV_DONTNEED,
  core.MADV_FREE,
  core.MADV_DONTFORK,
  core.MADV_DOFORK,
  core.MADV_WIPEONFORK,
  core.MADV_KEEPONFORK,
  core.MADV_MERGEABLE,
  core.MADV_UNMERGEABLE,
  core.MADV_HUGEPAGE,
  core.MADV_NOHUGEPAGE,
  core.MADV_COLD,
  core.MADV_GUARD_INSTALL,
  core.MADV_GUARD_REMOVE,
  core.MADV_POPULATE_WRITE,
  core.MADV_COLLAPSE,
  core.MADV_PAGEOUT,
];
const PROT = [core.PROT_NONE, core.PROT_READ, core.PROT_READ | core.PROT_WRITE, core.PROT_READ | core.PROT_WRITE, 7];

/** Pages of the arena that programs use: few, so that operations meet. Some lie across the border of two leaf tables. */
const page = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: 10, max: 30 }) },
  { weight: 1, arbitrary: fc.integer({ min: 505, max: 520 }) },
  { weight: 1, arbitrary: fc.constantFrom(0, 512, 1024) },
);
const pages = fc.oneof(
  { weight: 8, arbitrary: fc.integer({ min: 1, max: 8 }) },
  { weight: 1, arbitrary: fc.constantFrom(0, 12, 512, 600, 1024) },
);
const process = fc.nat(7);

const kinds: { [K in Operation['op']]: [number, fc.Arbitrary<Operation>] } = {
  mmap: [
    4,
    fc.record({
      op: fc.constant('mmap' as const),
      process,
      at: page,
      pages,
      prot: fc.constantFrom(...PROT),
      flags: fc.constantFrom(0, 0, 0, core.MAP_NORESERVE, core.MAP_GROWSDOWN, core.MAP_LOCKED, core.MAP_POPULATE),
      memory: fc.constantFrom('private', 'private', 'private', 'shared', 'file-private', 'file-shared'),
      offset: fc.nat(20),
    }),
  ],
  munmap: [2, fc.record({ op: fc.constant('munmap' as const), process, at: page, pages })],
  mlock: [1, fc.record({ op: fc.constant('mlock' as const), process, at: page, pages })],
  munlock: [1, fc.record({ op: fc.constant('munlock' as const), process, at: page, pages })],
  mprotect: [3, fc.record({ op: fc.constant('mprotect' as const), process, at: page, pages, prot: fc.constantFrom(...PROT) })],
  madvise: [3, fc.record({ op: fc.constant('madvise' as const), process, at: page, pages, advice: fc.constantFrom(...ADVICE) })],
  mremap: [
    4,
    fc.record({
      op: fc.constant('mremap' as const),
      process,
      at: page,
      pages,
      newPages: pages,
      to: fc.option(page, { nil: null }) as fc.Arbitrary<number | null>,
      dontUnmap: fc.boolean(),
    }),
  ],
  brk: [1, fc.record({ op: fc.constant('brk' as const), process, pages: fc.integer({ min: -4, max: 6 }) })],
  read: [2, fc.record({ op: fc.constant('read' as const), process, at: page })],
  write: [9, fc.record({ op: fc.constant('write' as const), process, at: page })],
  fork: [3, fc.record({ op: fc.constant('fork' as const), process })],
  thread: [1, fc.record({ op: fc.constant('thread' as const), process })],
  splitFolio: [
    1,
    fc.record({
      op: fc.constant('splitFolio' as const),
      process,
      at: page,
      order: fc.constantFrom(0, 0, 2, 4),
      unequal: fc.boolean(),
    }),
  ],
  splitDeferred: [1, fc.record({ op: fc.constant('splitDeferred' as const), process })],
  reclaim: [3, fc.record({ op: fc.constant('reclaim' as const), process, at: page })],
  migrate: [1, fc.record({ op: fc.constant('migrate' as const), process, at: page })],
  startMigration: [2, fc.record({ op: fc.constant('startMigration' as const), process, at: page })],
  finishMigrations: [1, fc.record({ op: fc.constant('finishMigrations' as const), process })],
  swapOff: [1, fc.record({ op: fc.constant('swapOff' as const), process })],
  uffdMove: [
    3,
    fc.record({ op: fc.constant('uffdMove' as const), process, to: page, from: page, pages: fc.integer({ min: 1, max: 4 }) }),
  ],
  fill: [3, fc.record({ op: fc.constant('fill' as const), process, at: page, pattern: fc.integer({ min: 1, max: 2 }) })],
  khugepagedScan: [1, fc.record({ op: fc.constant('khugepagedScan' as const), process })],
  ksmScan: [2, fc.record({ op: fc.constant('ksmScan' as const), process })],
  ksmUnmerge: [1, fc.record({ op: fc.constant('ksmUnmerge' as const), process })],
  exec: [1, fc.record({ op: fc.constant('exec' as const), process })],
  exit: [2, fc.record({ op: fc.constant('exit' as const), process })],
};

/** Programs over a process tree; each switches random kinds of operation off (swarm testing), so that rare mixes occur. */
export function programs(maxLength: number): fc.Arbitrary<readonly Operation[]> {
  return fc.subarray([...core.OPERATION_KINDS], { minLength: 6 }).chain((allowed) => {
    const weighted = [...new Set<Operation['op']>([...allowed, 'mmap', 'write'])].map((kind) => ({
      weight: kinds[kind][0],
      arbitrary: kinds[kind][1],
    }));
    return fc.array(fc.oneof(...weighted), { minLength: 1, maxLength, size: 'max' });
  });
}
