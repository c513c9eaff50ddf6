import { Kernel, type KernelOptions, MADV_DONTNEED, messageOf, type Operation, ProgramRun, Unsupported } from '@rmap-lab/core';
import { CaseFailure, type ConformanceCase } from '../case.js';
import { unrefusing } from '../monitor.js';
import { exec, exit, fork, map, move, moveKeeping, munmap, protect, RO, write } from '../operations.js';
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

/** A program over up to six processes and so few places that pieces often come home. It begins with memory at all of them. */
export function randomProgram(seed: number, length = LENGTH): readonly Operation[] {
  const below = numbers(seed);
  const at = (): number => 10 + below(14);
  const pages = (): number => 1 + below(5);
  const process = (): number => below(6);
  const kinds: readonly [weight: number, make: () => Operation][] = [
    [5, () => map(at(), pages(), { process: process(), prot: below(4) === 0 ? RO : 3 })],
    [9, () => write(at(), process())],
    [4, () => fork(process())],
    [2, () => exit(process())],
    [2, () => munmap(at(), pages(), process())],
    [4, () => protect(at(), pages(), below(2) === 0 ? RO : 3, process())],
    [4, () => move(at(), pages(), at(), process())],
    [1, () => moveKeeping(at(), pages(), at(), process())],
    [1, () => ({ op: 'madvise', process: process(), at: at(), pages: pages(), advice: MADV_DONTNEED })],
    [1, () => exec(process())],
  ];
  const total = kinds.reduce((sum, [weight]) => sum + weight, 0);
  const operations = Array.from({ length: length - 1 }, () => {
    let ticket = below(total);
    const kind = kinds.find(([weight]) => {
      ticket -= weight;
      return ticket < 0;
    });
    return (kind as (typeof kinds)[number])[1]();
  });
  return [map(10, 14), ...operations];
}

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
      runProgram(options, program);
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
): ConformanceCase => ({
  id: `random/${name}`,
  level: 'random',
  rule,
  strength: 'sampled',
  needs,
  title,
  why: 'what nobody thought of; the failing program is shrunk',
  run: ({ strategy, seed }) => {
    runPrograms(
      { ...options, strategy },
      Array.from({ length: programs }, (_, i) => randomProgram(seed * 1_000_003 + i)),
    );
  },
});

/** Random programs, all checked after every operation. */
export const random: readonly ConformanceCase[] = [
  randomCase('programs', 'R17', `${PROGRAMS} random programs of ${LENGTH} operations over a family of processes`, {}),
  randomCase('checked', 'R31', 'the same with every access to freed objects caught', { checked: true }, FEWER),
  randomCase('step-by-step', 'R28', 'the same step by step', { stepping: true }, 100),
  randomCase('large-folios', 'R17', 'the same with folios of four pages', { thp: { orders: { 2: 'always' } } }, FEWER, [
    'large-folio',
  ]),
  randomCase(
    'own-offsets',
    'R17',
    'the same with private file pages keyed by an offset of their own',
    { anonOffset: 'own' },
    FEWER,
  ),
];
