import { availableParallelism } from 'node:os';
import type { ShortNames } from '@rmap-lab/core/load-strategy';
import { describe, drawn, stopped, type Verdict, withOneMore } from '../explore.js';
import { minimise } from '../minimise.js';
import type { Program } from '../program.js';
import { lengthOf } from '../random.js';
import { Diverged, record } from '../recording.js';
import { codeOf } from './code.js';
import { frontier, type Part, seeds } from './parts.js';
import { BadProgress, Progress } from './progress.js';
import runPart, { type Job, type PartResult, type PartTask, programOf } from './run-part.js';

/** How a job is explored by several workers. */
export interface ParallelOptions {
  readonly shortNames?: ShortNames;
  /** Where strategy files are looked for. Default: the current folder. */
  readonly from?: string;
  /** Worker threads. Default: one for each core. */
  readonly workers?: number;
  /** Which of `count` pieces to explore, from 1. Default: all. */
  readonly shard?: { readonly index: number; readonly count: number };
  /** Results that are there already are not computed again, and new ones are added. */
  readonly resume?: string;
  /** Of engines that draw. Default 1. */
  readonly seed?: number;
  /** Of engines that draw. Default 10,000. */
  readonly schedules?: number;
  /** Ends the exploration; parts under way are left for the next time. */
  readonly signal?: AbortSignal;
  /** Called now and then while schedules are run, here or in a worker. */
  readonly onSchedule?: () => void;
  /** Called after each part. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** Pieces that a search is cut into: many, as some are much larger than others. */
const PARTS = 64;

/**
 * Explores in worker threads. The schedules of all parts together are those of one search, whoever ran which.
 * @throws StrategyLoadError, UnknownScenario, BadProgress, Unrestorable, RangeError for less than one worker or schedule
 */
export async function exploreParallel(job: Job, options: ParallelOptions = {}): Promise<Verdict> {
  const { shortNames = {}, from = process.cwd(), workers = availableParallelism(), seed = 1, schedules = 10_000 } = options;
  for (const [name, n] of Object.entries({ workers, schedules }))
    if (!(Number.isInteger(n) && n > 0)) throw new RangeError(`${name} must be 1 or more, not ${n}`);
  const began = performance.now();
  const program = await programOf(job, shortNames, from, options.onSchedule);
  const progress = new Progress({ ...job, seed, schedules, code: codeOf(job.strategy, shortNames, from) }, options.resume);
  // Whoever explores without workers, as most do, need not wait until it is loaded.
  const { Piscina } = await import('piscina');
  const pool = new Piscina<PartTask, PartResult>({
    filename: new URL('./run-part.js', import.meta.url).href,
    // A worker that is idle for a moment must not go: what it compiled would go with it.
    minThreads: workers,
    maxThreads: workers,
  });
  pool.on('message', () => options.onSchedule?.());
  const run = async (part: Part): Promise<PartResult> => {
    const task = { job, part, shortNames, from };
    try {
      return await pool.run(task, { signal: options.signal });
    } catch (error) {
      // An error from a worker is of no class: here it is thrown once more as it was.
      if (!options.signal?.aborted) await runPart(task);
      throw error;
    }
  };
  const runAll = (parts: readonly Part[]): Promise<Found> => runParts(parts, progress, workers, options, run);
  try {
    const found =
      job.engine === 'bounded'
        ? await deepen(program, job.preemptions, runAll)
        : drawnFrom(await runAll(seeds(seed, schedules, PARTS)));
    return verdictOf(job, program, found, options, (performance.now() - began) / 1000);
  } finally {
    progress.close();
    await pool.destroy();
  }
}

interface Found {
  readonly schedules: number;
  readonly steps: number;
  /** Steps of the longest schedule, of a search that draws. */
  readonly length: number;
  /** Whether the bound left schedules out of a part. */
  readonly cut: boolean;
  /** Whether every part of this shard was explored. */
  readonly done: boolean;
  /** The same of this and all other shards. */
  readonly complete: boolean;
  readonly failure: readonly number[] | null;
}

interface Explored extends Found {
  /** Schedules that are known to be right, or were run until one failed. */
  readonly known: number;
  /** null: a search that draws has none. */
  readonly bound: number | null;
  /** Whether no bound left anything out. */
  readonly whole: boolean;
}

async function runParts(
  parts: readonly Part[],
  progress: Progress,
  workers: number,
  { shard, signal, onProgress }: ParallelOptions,
  run: (part: Part) => Promise<PartResult>,
): Promise<Found> {
  const mine = parts.filter((_, i) => shard === undefined || i % shard.count === shard.index - 1);
  const waiting = mine.filter((part) => progress.of(part) === undefined);
  const total = mine.length;
  let done = total - waiting.length;
  let failed = mine.some((part) => progress.of(part)?.failure);
  const take = async (): Promise<void> => {
    for (let part = waiting.shift(); part !== undefined && !failed && !signal?.aborted; part = waiting.shift()) {
      try {
        const result = await run(part);
        progress.add(part, result);
        failed ||= result.failure !== null;
        onProgress?.(++done, total);
      } catch (error) {
        if (!signal?.aborted) throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: workers }, take));
  // Of other shards count what a joined file knows.
  const results = parts.flatMap((part) => progress.of(part) ?? []);
  const sum = (of: (result: PartResult) => number): number => results.reduce((total, result) => total + of(result), 0);
  return {
    schedules: sum(({ schedules }) => schedules),
    steps: sum(({ steps }) => steps),
    length: results.reduce((longest, result) => Math.max(longest, result.length), 1),
    cut: results.some(({ cut }) => cut),
    done: mine.every((part) => progress.of(part) !== undefined),
    complete: results.length === parts.length,
    failure: results.find(({ failure }) => failure !== null)?.failure ?? null,
  };
}

/** One preemption more at a time, so that the first failure has as few as can be. */
async function deepen(
  program: Program,
  preemptions: number,
  runAll: (parts: readonly Part[]) => Promise<Found>,
): Promise<Explored> {
  let steps = 0;
  let known = 0;
  for (let bound = 0; ; bound++) {
    const { parts, cut } = frontier(program, bound, PARTS);
    const found = await runAll(parts);
    steps += found.steps;
    // What was stopped at once knows still what it knew before.
    known = found.failure === null ? Math.max(known, found.schedules) : found.schedules;
    // A lone shard may end here as well: with more preemptions its parts are the same, and have no more schedules.
    const whole = !cut && !found.cut;
    if (!found.done || found.failure !== null || bound === preemptions || whole) return { ...found, steps, known, bound, whole };
  }
}

const drawnFrom = (found: Found): Explored => ({ ...found, known: found.schedules, bound: null, whole: false });

function verdictOf(
  { engine, preemptions }: Job,
  program: Program,
  found: Explored,
  { shard, signal, resume }: ParallelOptions,
  seconds: number,
): Verdict {
  const { schedules, length, done, complete, failure, bound, whole } = found;
  const exhausted = whole && complete && failure === null;
  const covered = (): string => {
    if (failure !== null) return stopped(found);
    if (exhausted) return 'every interleaving';
    if (bound === null) return drawn({ schedules, first: lengthOf(program), length }, engine, preemptions + 1);
    if (complete) return `at most ${bound} preemptions`;
    const part = shard === undefined ? '' : `shard ${shard.index} of ${shard.count}, `;
    if (done) return `${part}${schedules} of the schedules with at most ${bound} preemptions`;
    return `${part}${withOneMore(bound)}${stopped(found, signal)}`;
  };
  const error = failure && errorOf(program, failure, resume);
  return {
    engine,
    verdict: failure === null ? 'passes' : 'fails',
    exhausted,
    bound: covered(),
    schedules: found.known,
    blocked: 0,
    steps: found.steps,
    seconds,
    failure: failure && error && describe(minimise(program, { error, choices: failure })),
  };
}

/** What fails in a schedule, which may be known from a file only. */
function errorOf(program: Program, choices: readonly number[], file: string | undefined): Error {
  try {
    const { error } = record(program, choices);
    if (error !== null) return error;
  } catch (error) {
    if (file === undefined || !(error instanceof Diverged)) throw error;
  }
  if (file === undefined) throw new Error('a schedule failed in a worker and passes here');
  throw new BadProgress(`'${file}' says that a schedule fails, and it passes now: the strategy has changed; name another file`);
}
