import { fork } from 'node:child_process';
import { setMaxListeners } from 'node:events';
import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { ShortNames } from '@rmap-lab/core/load-strategy';
import { answerOf } from '@rmap-lab/plumbing';
import type { ConformanceCase } from './case.js';
import { longest, SEED } from './defaults.js';
import { NoResult, nameFrom, resultFrom } from './heard.js';
import type { OnBegin } from './progress.js';
import { printable } from './report/printable.js';
import { type CaseResult, type ConformanceOptions, type ConformanceReport, reportOf, selectCases } from './run.js';

/** A strategy by name, run where it can't take the run down. */
export interface ApartOptions extends Omit<ConformanceOptions, 'onResult'> {
  readonly shortNames?: ShortNames;
  /** Files are meant from here. */
  readonly from: string;
  /** Longest time of one case. Default 60, with every interleaving 300. */
  readonly seconds?: number;
  readonly onBegin?: OnBegin;
  /** Ends the run: the report has the cases that were over by then. */
  readonly signal?: AbortSignal;
}

/** What a process is told at first. Then it is told cases by their ids, one at a time. */
export interface ProcessData extends Pick<ApartOptions, 'shortNames' | 'from' | 'seed' | 'preemptions'> {
  readonly name: string;
}

/** What a process says: what it has loaded, and how each case ended; or why it can't. */
export type ProcessMessage =
  | { readonly kind: 'loaded'; readonly strategy: string }
  | { readonly kind: 'ended'; readonly result: CaseResult }
  | { readonly kind: 'refused'; readonly message: string };

/** The strategy can't be loaded, or not be run to the end: it hangs, ends its process, or uses up memory. */
export class StrategyUnusable extends Error {
  override readonly name = 'StrategyUnusable';
  /** The cases that were over by then. */
  soFar: ConformanceReport | null = null;
}

/** Fewer are not worth the time in which another process loads the strategy. */
const CASES_PER_PROCESS = 10;

/**
 * Runs the suite on a strategy loaded by name, in processes of their own: as many as there are cores, each with the next case when it
 * is done with one. @throws StrategyUnusable naming the strategy and the case
 */
export async function runApart(name: string, options: ApartOptions): Promise<ConformanceReport> {
  const { seed = SEED, signal } = options;
  const chosen = selectCases(options);
  const results = new Map<ConformanceCase, CaseResult>();
  const waiting = chosen.values();
  let strategy = name;
  const run: Run = {
    name,
    options,
    next: () => {
      const { value } = waiting.next();
      if (value !== undefined) options.onBegin?.(value.id, results.size, chosen.length);
      return value;
    },
    loaded: (as) => {
      strategy = as;
    },
    ended: (each, result) => results.set(each, result),
  };
  const started = performance.now();
  const over = new AbortController();
  const stop = signal === undefined ? over.signal : AbortSignal.any([signal, over.signal]);
  const processes = Math.min(availableParallelism(), Math.ceil(chosen.length / CASES_PER_PROCESS));
  // Ten are taken for a leak.
  setMaxListeners(processes, stop);
  const report = (): ConformanceReport => {
    const known = chosen.flatMap((each) => results.get(each) ?? []);
    return reportOf(strategy, seed, known, (performance.now() - started) / 1000, chosen.length);
  };
  try {
    await Promise.all(Array.from({ length: processes }, () => inProcess(run, stop)));
  } catch (error) {
    if (error instanceof StrategyUnusable) error.soFar = report();
    if (!signal?.aborted) throw error;
  } finally {
    over.abort();
  }
  return report();
}

interface Run {
  readonly name: string;
  readonly options: ApartOptions;
  /** The next case that nobody has. */
  next(): ConformanceCase | undefined;
  loaded(strategy: string): void;
  ended(each: ConformanceCase, result: CaseResult): void;
}

/** Runs case after case in one process, until there are none. */
function inProcess({ name, options, next, loaded, ended }: Run, signal: AbortSignal): Promise<true> {
  const { shortNames, from, seed, preemptions, seconds = longest(preemptions) } = options;
  const built = new URL('./process.js', import.meta.url);
  const child = fork(existsSync(fileURLToPath(built)) ? built : new URL('../dist/process.js', import.meta.url), {
    execArgv: ['--max-old-space-size=2048'],
    stdio: ['ignore', 2, 2, 'ipc'],
    serialization: 'advanced',
    signal,
    killSignal: 'SIGKILL',
  });
  let current: ConformanceCase | undefined;
  const where = (): string => (current === undefined ? 'while it was loaded' : `in case ${current.id}`);
  return answerOf<unknown, true>(child, {
    task: { name, from, shortNames, seed, preemptions } satisfies ProcessData,
    // The strategy may say anything there, too.
    hear: (said) => {
      const { kind, message, strategy, result } = Object(said) as Record<string, unknown>;
      if (kind === 'refused' && typeof message === 'string') throw new StrategyUnusable(printable(message));
      checked(name, () => {
        if (kind === 'loaded' && current === undefined) loaded(nameFrom(strategy));
        else if (kind === 'ended' && current !== undefined) ended(current, resultFrom(current, result));
        else throw new NoResult();
      });
      current = next();
      if (current === undefined) return true;
      // Where it can't be told, it has ended, and that is heard of.
      child.send(current.id, () => {});
      return undefined;
    },
    ended: (how) => new StrategyUnusable(`strategy '${name}' ended the program (${how}) ${where()}`),
    patience: {
      seconds,
      lost: () =>
        new StrategyUnusable(
          `strategy '${name}' took more than ${seconds} s ${where()}: does it go round there for ever? If not, --seconds gives it longer`,
        ),
    },
  });
}

/** @throws StrategyUnusable where that throws NoResult */
function checked(name: string, read: () => void): void {
  try {
    read();
  } catch (error) {
    throw error instanceof NoResult ? new StrategyUnusable(`strategy '${name}' ${error.message}`) : error;
  }
}
