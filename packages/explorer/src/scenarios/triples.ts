import { type Kernel, type Op, PAGE_SIZE, type Process } from '@rmap-lab/core';
import type { Scenario } from '../kernel-program.js';
import { AWAY, at, type Family, family, map, move } from './world.js';

interface Alone {
  readonly process: Process;
  readonly thread: Process;
}

/** A process with two untouched pages, and a second thread. */
function untouched(kernel: Kernel): Alone {
  const process = kernel.spawn();
  map(process, 10, 12);
  return { process, thread: process.thread() };
}

const scenario = <W>(name: string, setup: (kernel: Kernel) => W, rest: Omit<Scenario<W>, 'name' | 'setup'>) => ({
  name,
  setup,
  ...rest,
});

const folio = ({ folio }: Family) => folio;

/** Races of changes among themselves, a page that comes back from swap, and selected triples. */
export const others = [
  scenario('first-faults', untouched, {
    threads: (_, { process, thread }) => ({ one: process.op.write(at(10)), two: thread.op.write(at(11)) }),
  }),
  scenario('fault-x-fork', untouched, {
    threads: (_, { process, thread }) => ({ fork: process.op.fork(), fault: thread.op.write(at(11)) }),
  }),
  scenario('both-write', (kernel: Kernel) => family(kernel), {
    threads: (_, { parent, child }) => ({ parent: parent.op.write(at(10)), child: child.op.write(at(10)) }),
  }),
  scenario('migrate-x-fork-x-move', (kernel: Kernel) => family(kernel), {
    threads: (kernel, { parent, folio }): Record<string, Op<unknown>> => ({
      migrate: kernel.op.migrate(folio),
      fork: parent.op.fork(),
      move: move(parent, 10, AWAY, 2),
    }),
  }),
  scenario('migrate-x-exit-x-exit', (kernel: Kernel) => family(kernel), {
    threads: (kernel, { parent, child, folio }): Record<string, Op<unknown>> => ({
      migrate: kernel.op.migrate(folio),
      exit: parent.op.exit(),
      childExit: child.op.exit(),
    }),
  }),
  scenario('reclaim-x-fork-x-write', (kernel: Kernel) => family(kernel), {
    threads: (kernel, { parent, child, folio }): Record<string, Op<unknown>> => ({
      reclaim: kernel.op.reclaim(folio),
      fork: child.op.fork(),
      write: parent.op.write(at(10)),
    }),
  }),
  scenario('walk-x-exit-x-fork', (kernel: Kernel) => family(kernel), {
    folio,
    threads: (kernel, { parent, child, folio }): Record<string, Op<unknown>> => ({
      walk: kernel.op.walk(folio),
      exit: parent.op.exit(),
      fork: child.op.fork(),
    }),
  }),
  scenario('walk-x-munmap-x-write', (kernel: Kernel) => family(kernel), {
    folio,
    threads: (kernel, { parent, child, folio }): Record<string, Op<unknown>> => ({
      walk: kernel.op.walk(folio),
      munmap: parent.op.munmap(at(10), PAGE_SIZE),
      write: child.op.write(at(10)),
    }),
  }),
] as const;
