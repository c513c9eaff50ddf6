import { parentPort } from 'node:worker_threads';
import { loadStrategy, type ShortNames } from '@rmap-lab/core/load-strategy';
import { bounded } from '../bounded.js';
import { kernelProgram } from '../kernel-program.js';
import { noticed, type Program } from '../program.js';
import { type SampleOptions, sample } from '../random.js';
import { scenarioNamed } from '../scenarios/catalogue.js';
import type { Part } from './parts.js';

/** What is explored, in words that can be sent to a worker. */
export interface Job {
  /** Name of a bundled scenario. */
  readonly scenario: string;
  /** Short name, package or file of a strategy, perhaps with a preset. */
  readonly strategy: string;
  readonly engine: 'bounded' | SampleOptions['engine'];
  /** Of `bounded`; one less than the depth of `pct`. */
  readonly preemptions: number;
}

/** What a worker is sent. */
export interface PartTask {
  readonly job: Job;
  readonly part: Part;
  readonly shortNames: ShortNames;
  /** Where file names start from. */
  readonly from: string;
}

/** What a part found. */
export interface PartResult {
  readonly schedules: number;
  readonly steps: number;
  /** Steps of the longest schedule, of a search that draws. */
  readonly length: number;
  /** Whether the bound left schedules out. */
  readonly cut: boolean;
  /** The schedule that failed. */
  readonly failure: readonly number[] | null;
}

const programs = new Map<string, Program>();

/** The program of a job; one worker runs many parts of it. `onSchedule` is called before each schedule. @throws StrategyLoadError, UnknownScenario */
export async function programOf(
  { scenario, strategy }: Job,
  shortNames: ShortNames,
  from: string,
  onSchedule: () => void = () => {},
): Promise<Program> {
  const name = `${scenario} ${strategy} ${from}`;
  const known = programs.get(name);
  if (known !== undefined) return known;
  const run = kernelProgram(scenarioNamed(scenario), { strategy: (await loadStrategy(strategy, shortNames, from)).strategy });
  const program = noticed(run, onSchedule);
  programs.set(name, program);
  return program;
}

let said = 0;
/** Tells the main thread, at most once a second. */
function sayAlive(): void {
  if (performance.now() - said < 1000) return;
  said = performance.now();
  parentPort?.postMessage('a schedule is run');
}

/** Searches one part. @throws StrategyLoadError, UnknownScenario */
export default async function runPart({ job, part, shortNames, from }: PartTask): Promise<PartResult> {
  const program = await programOf(job, shortNames, from, sayAlive);
  if ('prefix' in part) {
    const { schedules, steps, cut, failure } = bounded(program, part.bound, { prefix: part.prefix });
    program.over?.();
    return { schedules, steps, length: 0, cut, failure: failure?.choices ?? null };
  }
  const { schedules, steps, length, failure } = sample(program, {
    engine: job.engine as SampleOptions['engine'],
    depth: job.preemptions + 1,
    seed: part.seed,
    maxSchedules: part.schedules,
  });
  program.over?.();
  return { schedules, steps, length, cut: false, failure: failure?.choices ?? null };
}
