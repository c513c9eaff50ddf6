import {
  type Kernel,
  MADV_COLLAPSE,
  MADV_DONTNEED,
  MADV_MERGEABLE,
  type Op,
  PAGE_SIZE,
  PROT_READ,
  PROT_WRITE,
} from '@rmap-lab/core';
import type { Scenario } from '../kernel-program.js';
import { AWAY, at, FAR, type Family, family, folioAt, map, move } from './world.js';

type Act = (world: Family, kernel: Kernel) => Op<unknown>;

/** What changes address spaces. */
const changes: Readonly<Record<string, Act>> = {
  fork: ({ parent }) => parent.op.fork(),
  'fork-child': ({ child }) => child.op.fork(),
  move: ({ parent }) => move(parent, 10, AWAY, 2),
  'move-and-back': function* ({ parent }): Op<void> {
    yield* move(parent, 10, AWAY, 1);
    yield* move(parent, AWAY, 10, 1);
  },
  munmap: ({ parent }) => parent.op.munmap(at(10), PAGE_SIZE),
  'munmap-child': ({ child }) => child.op.munmap(at(10), 2 * PAGE_SIZE),
  'mprotect-split': ({ parent }) => parent.op.mprotect(at(11), PAGE_SIZE, PROT_READ),
  'mprotect-split-and-merge': function* ({ parent }): Op<void> {
    yield* parent.op.mprotect(at(11), PAGE_SIZE, PROT_READ);
    yield* parent.op.mprotect(at(11), PAGE_SIZE, PROT_READ | PROT_WRITE);
  },
  write: ({ parent }) => parent.op.write(at(10)),
  'write-child': ({ child }) => child.op.write(at(10)),
  'dontneed-and-write': function* ({ parent }): Op<void> {
    yield* parent.op.madvise(at(10), 2 * PAGE_SIZE, MADV_DONTNEED);
    yield* parent.op.write(at(10));
  },
  'swap-in': ({ parent }) => parent.op.read(at(10)),
  exit: ({ parent }) => parent.op.exit(),
  'exit-child': ({ child }) => child.op.exit(),
  exec: ({ child }) => child.op.exec(),
};

/** What follows the reverse map. */
const walkers: Readonly<Record<string, Act>> = {
  walk: ({ folio }, kernel) => kernel.op.walk(folio),
  referenced: ({ folio }, kernel) => kernel.op.referenced(folio),
  reclaim: ({ folio }, kernel) => kernel.op.reclaim(folio),
  migrate: ({ folio }, kernel) => kernel.op.migrate(folio),
  ksm: (_world, kernel) => kernel.op.ksmScan(),
  uffd: ({ parent }) => parent.thread().op.uffdMove({ to: at(FAR), from: at(11), length: PAGE_SIZE }),
  reuse: ({ parent }) => parent.thread().op.write(at(10)),
  split: ({ folio }, kernel) => kernel.op.splitFolio(folio),
  collapse: ({ parent }) => parent.thread().op.madvise(at(0), 512 * PAGE_SIZE, MADV_COLLAPSE),
};

/** Pages that the family's VMA has: for a split those of a large folio, for a collapse those of a huge one. */
const pagesOf = (walker: string): [number, number] =>
  walker === 'split' ? [8, 12] : walker === 'collapse' ? [0, 512] : [10, 12];

/** What a change or a walker needs beside the family. */
function setup(change: string, walker: string): (kernel: Kernel) => Family {
  return (kernel) => {
    const world = family(kernel, pagesOf(walker));
    const { parent, child } = world;
    if (walker === 'uffd') map(parent, FAR, FAR + 1);
    if (walker === 'reuse') child.write(at(10));
    if (walker === 'ksm') {
      parent.fill(at(11), 7);
      map(child, 20, 21);
      child.fill(at(20), 7);
      parent.madvise(at(10), 2 * PAGE_SIZE, MADV_MERGEABLE);
      child.madvise(at(20), PAGE_SIZE, MADV_MERGEABLE);
    }
    if (change !== 'swap-in') return world;
    kernel.reclaim(world.folio);
    child.read(at(10));
    return { ...world, folio: folioAt(child, 10) };
  };
}

/** Every change against every walker. */
export const pairs: readonly Scenario<Family>[] = Object.entries(changes).flatMap(([change, act]) =>
  Object.entries(walkers).map(([walker, follow]) => ({
    name: `${change}-x-${walker}`,
    machine: walker === 'split' ? { thp: { orders: { 2: 'always' as const } } } : {},
    setup: setup(change, walker),
    threads: (kernel: Kernel, world: Family) => ({ [change]: act(world, kernel), [walker]: follow(world, kernel) }),
    folio: ({ folio }: Family) => folio,
  })),
);
