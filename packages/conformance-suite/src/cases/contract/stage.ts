import {
  type Address,
  type Feature,
  type Folio,
  Kernel,
  type KernelOptions,
  MADV_COLLAPSE,
  MADV_MERGEABLE,
  type Op,
  type Operation,
  PAGE_SIZE,
  type Pgoff,
  ProgramRun,
  type Rmap,
  type RmapStrategy,
  run,
} from '@rmap-lab/core';
import { CaseFailure, type ConformanceCase, type Lab } from '../../case.js';
import { withHooks } from '../../facade.js';
import { watched } from '../../monitor.js';
import {
  advise,
  exit,
  fill,
  finishMigrations,
  fork,
  ksmScan,
  map,
  migrate,
  move,
  munmap,
  protect,
  RO,
  read,
  reclaim,
  splitFolio,
  startMigration,
  uffdMove,
  write,
} from '../../operations.js';
import { RULES } from '../../rules.js';

/** Splits, merges, moves, forks and exits. */
export const VARIED: readonly Operation[] = [
  map(10, 8),
  write(10),
  write(13),
  fork(),
  protect(12, 2, RO),
  write(11, 1),
  protect(12, 2, 3),
  move(14, 2, 40),
  write(41),
  fork(1),
  exit(1),
  munmap(10, 1),
  write(12, 1),
  map(18, 2),
  write(18),
];

type Options = Omit<KernelOptions, 'strategy'>;

/** What follows the reverse map, and the features that it takes. */
const WALKERS: readonly (readonly [needs: readonly Feature[], program: readonly Operation[], options?: Options])[] = [
  [['migrate'], [map(10, 4), write(10), fork(), migrate(10), startMigration(10), finishMigrations]],
  [['swap'], [map(10, 4), write(10), fork(), reclaim(10), read(10, 1), read(10), write(10)]],
  [['ksm'], [map(10, 2), fill(10, 7), fill(11, 7), advise(10, 2, MADV_MERGEABLE), ksmScan, fork(), write(10)]],
  [['uffd-move'], [map(10, 1), map(80, 1), write(10), uffdMove(10, 80)]],
  [['large-folio', 'folio-split'], [map(12, 4), write(12), fork(), splitFolio(12)], { thp: { orders: { 2: 'always' } } }],
  [
    ['large-folio', 'collapse'],
    [map(512, 512), write(512), write(700), advise(512, 512, MADV_COLLAPSE)],
    { thp: { enabled: 'madvise' } },
  ],
];

/** Programs that lead to each hook, but for what the strategy refuses. */
export const ways = ({ unsupported }: RmapStrategy): readonly (readonly [program: readonly Operation[], options?: Options])[] => [
  [VARIED],
  ...WALKERS.filter(([needs]) => needs.every((feature) => unsupported?.[feature] === undefined)).map(
    ([, program, options]) => [program, options] as const,
  ),
];

export const expect = (holds: boolean, message: string): void => {
  if (!holds) throw new CaseFailure(message);
};

export function play(strategy: RmapStrategy, program: readonly Operation[], options: Options = {}): ProgramRun {
  const started = new ProgramRun(new Kernel({ strategy: watched(strategy), ...options }));
  for (const operation of program) started.apply(operation);
  return started;
}

export const show = (kernel: Kernel): string => JSON.stringify([kernel.stats(), kernel.inspect(), kernel.draw()]);
export const answerOf = <T>(answer: T | Op<T>): T =>
  typeof answer === 'object' && answer !== null && 'next' in answer ? run(answer as Op<T>) : (answer as T);

export function nothingLeft(kernel: Kernel, when: string): void {
  const left = Object.entries(kernel.stats().slab).filter(([, { live }]) => live > 0);
  if (left.length === 0) return;
  throw new CaseFailure(`${left.map(([cache, { live }]) => `${live} of ${cache}`).join(', ')} left ${when}: ${RULES.R15}`, {
    rule: 'R15',
  });
}

/** A machine on which a program ran, the strategy's hooks, and the first folio in the first process's first touched VMA. */
export interface Stage {
  readonly kernel: Kernel;
  readonly rmap: Rmap;
  readonly folio: Folio;
  readonly first: Pgoff;
  readonly last: Pgoff;
  readonly run: ProgramRun;
}

export function stage(strategy: RmapStrategy, program: readonly Operation[], options: Options = {}): Stage {
  let rmap: Rmap | null = null;
  const spied = withHooks(strategy, (made) => {
    rmap = made;
  });
  const started = play(spied, program, options);
  const process = started.processes[0];
  const vma = process.vmas().find(({ faulted }) => faulted);
  let at = vma?.start ?? (0 as Address);
  while (vma !== undefined && at < vma.end && process.folioAt(at) === null) at = (at + PAGE_SIZE) as Address;
  const folio = process.folioAt(at);
  if (folio === null || rmap === null) throw new CaseFailure('a page that was written is not mapped');
  const { index, order } = process.pageAt(at);
  const first = index as Pgoff;
  return { kernel: started.kernel, rmap, folio, first, last: (first + 2 ** order - 1) as Pgoff, run: started };
}

/** A page at 10, shared by a parent and two children, one of which moved it. */
export const shared = (strategy: RmapStrategy): Stage =>
  stage(strategy, [map(10, 4), write(10), fork(), fork(), move(10, 4, 40, 1)]);
/** A page at 10 of a process that never forked. */
export const alone = (strategy: RmapStrategy): Stage => stage(strategy, [map(10, 4), write(10)]);
export const contractCase = (
  name: string,
  rule: ConformanceCase['rule'],
  title: string,
  why: string,
  body: (lab: Lab) => void,
  needs: ConformanceCase['needs'] = [],
): ConformanceCase => ({
  id: `contract/${name}`,
  level: 'contract',
  rule,
  strength: 'must',
  needs,
  title,
  why,
  run: body,
});
