import {
  ContractViolation,
  Kernel,
  type KernelOptions,
  messageOf,
  type Operation,
  ProgramRun,
  Unsupported,
} from '@rmap-lab/core';
import { CaseFailure, type ConformanceCase, type Evidence, type Level } from './case.js';
import { watched } from './monitor.js';
import { pictureOf } from './picture.js';
import { ruleOf } from './rules.js';

/** What a case that is a program says about itself. */
export interface ProgramCase extends Pick<ConformanceCase, 'rule' | 'title' | 'why'> {
  readonly name: string;
  readonly strength?: 'must' | 'should';
  readonly needs?: ConformanceCase['needs'];
  readonly options?: Omit<KernelOptions, 'strategy'>;
  readonly program: readonly Operation[];
}

/** A case of each program: after every operation all walks equal the page tables, after the exit of all nothing is left. */
export const programCases = (level: Level, cases: readonly ProgramCase[]): readonly ConformanceCase[] =>
  cases.map(({ name, strength = 'must', needs = [], options = {}, program, ...rest }) => ({
    ...rest,
    id: `${level}/${name}`,
    level,
    strength,
    needs,
    run: ({ strategy }) => runProgram({ ...options, strategy: watched(strategy) }, program),
  }));

/** Runs a program, checked. @throws CaseFailure with the shortest program that fails, Unsupported */
export function runProgram(options: KernelOptions, program: readonly Operation[]): void {
  const failure = failureOf(options, program);
  if (failure === null) return;
  const shortest = shrink(program, (part) => failureOf(options, part) !== null);
  const { error, at, kernel } = failureOf(options, shortest) ?? failure;
  throw new CaseFailure(messageOf(error), {
    rule: ruleOf(error),
    program: shortest,
    ...pictures(options, shortest.slice(0, at), kernel),
  });
}

/** The address spaces after the operations that went well, and in the machine where something went wrong. */
export function pictures(options: KernelOptions, program: readonly Operation[], kernel: Kernel): Evidence {
  const run = new ProgramRun(new Kernel(options));
  for (const operation of program) run.apply(operation);
  const { spaces, mappings } = pictureOf(kernel);
  return { before: pictureOf(run.kernel).spaces, after: spaces, mappings };
}

interface ProgramFailure {
  readonly error: Error;
  /** Number of the operation after which it showed; the length of the program: when everybody exits. */
  readonly at: number;
  readonly kernel: Kernel;
}

function failureOf(options: KernelOptions, program: readonly Operation[]): ProgramFailure | null {
  const kernel = new Kernel(options);
  let at = 0;
  try {
    const run = new ProgramRun(kernel);
    for (; at < program.length; at++) {
      run.apply(program[at]);
      kernel.verify();
    }
    endOf(run);
    return null;
  } catch (error) {
    if (error instanceof Unsupported || !(error instanceof Error)) throw error;
    return { error, at, kernel };
  }
}

/** Everybody exits; nothing may be left. @throws ContractViolation R15 */
export function endOf({ kernel, processes }: ProgramRun): void {
  kernel.finishMigrations();
  for (const process of [...processes]) process.exit();
  let stats = kernel.stats();
  if (stats.ksm.items > 0) {
    kernel.ksmUnmerge();
    stats = kernel.stats();
  }
  const left = Object.entries(stats.slab).filter(([, { live }]) => live > 0);
  if (left.length === 0) return;
  const what = left.map(([cache, { live }]) => `${live} of ${cache}`).join(', ');
  throw new ContractViolation('R15', 'exit', 'last exit', `${what} left after the last exit`);
}

/** Leaves out whatever is not needed, from halves down to single operations. */
function shrink(program: readonly Operation[], fails: (part: readonly Operation[]) => boolean): readonly Operation[] {
  let best = program;
  for (let size = Math.ceil(best.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let at = 0; at < best.length; ) {
      const part = [...best.slice(0, at), ...best.slice(at + size)];
      if (fails(part)) best = part;
      else at += size;
    }
  }
  return best;
}
