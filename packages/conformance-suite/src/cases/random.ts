import {
  type Feature,
  Kernel,
  type KernelOptions,
  MADV_DONTNEED,
  MADV_MERGEABLE,
  messageOf,
  type Operation,
  ProgramRun,
  Unsupported,
} from '@rmap-lab/core';
import { CaseFailure, type ConformanceCase, type Lab } from '../case.js';
import { unrefusing, watched } from '../monitor.js';
import {
  advise,
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
  read,
  reclaim,
  splitFolio,
  startMigration,
  swapOff,
  uffdMove,
  write,
} from '../operations.js';
import { endOf, runProgram } from '../program-case.js';
import type { RuleId } from '../rules.js';

/** Operations of a program, programs of a case, and of one machine. */
const LENGTH = 25;
const PROGRAMS = 2000;
const FEWER = 400;
const OF_ONE_MACHINE = 200;

/** A small seeded generator (mulberry32) of numbers below n. */
function numbers(seed: number): (n: number) => number {
  let state = seed | 0;
  return (n) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t ^= t + Math.imul(t ^ (t >>> 7), 61 | t);
    return ((t ^ (t >>> 14)) >>> 0) % n;
  };
}

type Kind = readonly [weight: number, make: () => Operation];
type Draw = () => number;

/** Operations that take a feature: how often, and how they are made. */
const FURTHER: readonly (readonly [
  feature: Feature,
  weight: number,
  make: (at: Draw, process: Draw, below: (n: number) => number) => Operation,
])[] = [
  ['swap', 4, (at, process) => reclaim(at(), process())],
  ['swap', 3, (at, process) => read(at(), process())],
  ['swap', 1, () => swapOff],
  ['migrate', 2, (at, process) => migrate(at(), process())],
  ['migrate', 2, (at, process) => startMigration(at(), process())],
  ['migrate', 1, () => finishMigrations],
  ['ksm', 3, (at, process, below) => fill(at(), 1 + below(2), process())],
  ['ksm', 2, (at, process, below) => advise(at(), 1 + below(5), MADV_MERGEABLE, process())],
  ['ksm', 2, () => ksmScan],
  ['ksm', 1, () => ksmUnmerge],
  ['uffd-move', 3, (at, process, below) => uffdMove(at(), at(), 1 + below(3), process())],
  ['folio-split', 2, (at, process) => splitFolio(at(), 0, process())],
];

const NOTHING_BEYOND: ReadonlySet<Feature> = new Set();

/**
 * A program over up to six processes and so few places that pieces often come home. It begins with memory at all of them.
 * @param beyond what else it may be about than mappings, writes, forks and deaths: what these features do
 */
export function randomProgram(
  seed: number,
  length = LENGTH,
  beyond: ReadonlySet<Feature> = NOTHING_BEYOND,
): readonly Operation[] {
  const below = numbers(seed);
  const at = (): number => 10 + below(14);
  const pages = (): number => 1 + below(5);
  const process = (): number => below(6);
  const file = (): object => (beyond.has('private-file') && below(2) === 0 ? { memory: 'file-private', offset: below(4) } : {});
  const kinds: readonly Kind[] = [
    [5, () => map(at(), pages(), { process: process(), prot: below(4) === 0 ? RO : 3, ...file() })],
    [9, () => write(at(), process())],
    [4, () => fork(process())],
    [2, () => exit(process())],
    [2, () => munmap(at(), pages(), process())],
    [4, () => protect(at(), pages(), below(2) === 0 ? RO : 3, process())],
    [4, () => move(at(), pages(), at(), process())],
    [1, () => moveKeeping(at(), pages(), at(), process())],
    [1, () => ({ op: 'madvise', process: process(), at: at(), pages: pages(), advice: MADV_DONTNEED })],
    [1, () => exec(process())],
    ...FURTHER.filter(([feature]) => beyond.has(feature)).map(
      ([, weight, make]): Kind => [weight, () => make(at, process, below)],
    ),
  ];
  const total = kinds.reduce((sum, [weight]) => sum + weight, 0);
  const operations = Array.from({ length: length - 1 }, () => {
    let ticket = below(total);
    const kind = kinds.find(([weight]) => {
      ticket -= weight;
      return ticket < 0;
    });
    return (kind as Kind)[1]();
  });
  return [map(10, 14), ...operations];
}

/** Programs that a seed stands for: of each seed others, however large it is. */
export const randomPrograms = (seed: number, programs: number, beyond = NOTHING_BEYOND): readonly (readonly Operation[])[] =>
  Array.from({ length: programs }, (_, i) => randomProgram(Math.imul(seed, 1_000_003) + i, LENGTH, beyond));

/**
 * Runs programs one after the other, many on each machine, as setting one up takes as long as a few operations. After each operation
 * the walks of all pages whose mappings it changed are checked, after each program everything. What fails is run again alone, checked
 * whole after each operation, and shrunk. @throws CaseFailure
 */
export function runPrograms(given: KernelOptions, programs: readonly (readonly Operation[])[]): void {
  const options = { ...given, strategy: unrefusing(given.strategy) };
  let kernel = new Kernel(options);
  for (const [i, program] of programs.entries()) {
    if (i % OF_ONE_MACHINE === 0) kernel = new Kernel(options);
    try {
      const run = new ProgramRun(kernel);
      for (const operation of program) {
        run.apply(operation);
        kernel.verifyChanges();
      }
      kernel.verify();
      endOf(run);
    } catch (error) {
      if (error instanceof Unsupported) throw error;
      runProgram({ ...given, strategy: watched(given.strategy) }, program);
      const message = messageOf(error);
      throw new CaseFailure(`${message}; on a machine that ran ${i % OF_ONE_MACHINE} other programs before`, { program });
    }
  }
}

const randomCase = (
  name: string,
  rule: RuleId,
  title: string,
  options: Omit<KernelOptions, 'strategy'>,
  programs = PROGRAMS,
  needs: ConformanceCase['needs'] = [],
  beyond: (strategy: Lab['strategy']) => ReadonlySet<Feature> = () => NOTHING_BEYOND,
): ConformanceCase => ({
  id: `random/${name}`,
  level: 'random',
  rule,
  strength: 'sampled',
  needs,
  title,
  why: 'what nobody thought of; the failing program is shrunk',
  run: ({ strategy, seed }) => {
    runPrograms({ ...options, strategy }, randomPrograms(seed, programs, beyond(strategy)));
  },
});

const WALKERS: readonly Feature[] = ['swap', 'migrate', 'ksm', 'uffd-move', 'folio-split'];

/** Whatever follows the reverse map, but for what the strategy refuses. */
const walkersOf = ({ unsupported }: Lab['strategy']): ReadonlySet<Feature> =>
  new Set(WALKERS.filter((feature) => unsupported?.[feature] === undefined));

/** Random programs, all checked after every operation. */
export const random: readonly ConformanceCase[] = [
  randomCase('programs', 'R17', `${PROGRAMS} random programs of ${LENGTH} operations over a family of processes`, {}),
  randomCase('checked', 'R31', 'the same with every access to freed objects caught', { checked: true }, FEWER),
  randomCase('step-by-step', 'R28', 'the same step by step', { stepping: true }, 100),
  randomCase('large-folios', 'R17', 'the same with folios of four pages', { thp: { orders: { 2: 'always' } } }, FEWER, [
    'large-folio',
  ]),
  randomCase(
    'private-files',
    'R17',
    'the same with pages of a file among them',
    {},
    FEWER,
    ['private-file'],
    () => new Set(['private-file']),
  ),
  randomCase(
    'own-offsets',
    'R17',
    'the same with pages of a file among them, keyed by an offset of their own',
    { anonOffset: 'own' },
    FEWER,
    ['private-file'],
    () => new Set(['private-file']),
  ),
  randomCase(
    'walkers',
    'R17',
    'the same with page-out, swap-in, migration, KSM and UFFDIO_MOVE among them, as far as the strategy takes them',
    {},
    FEWER,
    [],
    walkersOf,
  ),
  randomCase(
    'walkers-of-large-folios',
    'R17',
    'the same with folios of four pages, some of them split',
    { thp: { orders: { 2: 'always' } } },
    FEWER,
    ['large-folio'],
    walkersOf,
  ),
];
