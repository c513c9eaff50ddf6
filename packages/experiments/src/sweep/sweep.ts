import { availableParallelism } from 'node:os';
import type { Layout } from '@rmap-lab/core';
import type { ShortNames } from '@rmap-lab/core/load-strategy';
import { Piscina } from 'piscina';
import type { Measurement } from '../measure.js';
import type { CellTask } from './run-cell.js';
import { type Cell, cellsOf, inShard, type SweepSpec } from './spec.js';
import type { Outcome, ResultStore } from './store.js';

/** How a sweep is run. */
export interface SweepOptions {
  readonly shortNames?: ShortNames;
  /** Where strategy files are looked for. Default: the current folder. */
  readonly from?: string;
  /** Which part of the cells to run. Default: all. */
  readonly shard?: { readonly index: number; readonly count: number };
  /** Cells at once. Default: one for each core. */
  readonly workers?: number;
  /** Object sizes to count with. Default: those of Linux 6.18. */
  readonly layout?: Layout;
  /** Ends the sweep; cells under way are left for the next time. */
  readonly signal?: AbortSignal;
  /** Called once at the start, and after each cell. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** What one call did. */
export interface SweepSummary {
  /** Cells of this shard. */
  readonly cells: number;
  /** Cells whose results were there already. */
  readonly found: number;
  /** Cells run now. */
  readonly run: number;
}

/** Runs every cell of `spec` that `store` has no result of, in worker threads. A strategy that hangs, throws or eats the memory costs its cell alone. */
export async function sweep(spec: SweepSpec, store: ResultStore, options: SweepOptions = {}): Promise<SweepSummary> {
  const { shortNames = {}, from = process.cwd(), shard, workers = availableParallelism(), layout, signal, onProgress } = options;
  const cells = cellsOf(spec, layout).filter((cell) => shard === undefined || inShard(cell, shard.index, shard.count));
  const waiting = cells.filter((cell) => store.resultOf(cell) === undefined);
  const found = cells.length - waiting.length;
  let run = 0;
  onProgress?.(found, cells.length);
  const pool = new Piscina<CellTask, Measurement>({
    filename: new URL('./run-cell.js', import.meta.url).href,
    minThreads: 0,
    maxThreads: workers,
    resourceLimits: { maxOldGenerationSizeMb: spec.limits.mebibytes },
  });
  const take = async (): Promise<void> => {
    for (let cell = waiting.shift(); cell !== undefined && !signal?.aborted; cell = waiting.shift()) {
      const outcome = await runOne(pool, { cell, shortNames, from }, spec.limits, signal);
      if (outcome === null) return;
      store.append(cell, outcome);
      run++;
      onProgress?.(found + run, cells.length);
    }
  };
  try {
    await Promise.all(Array.from({ length: workers }, take));
  } finally {
    await pool.destroy();
  }
  return { cells: cells.length, found, run };
}

/** One cell in a worker; null: the sweep was ended meanwhile. */
async function runOne(
  pool: Piscina<CellTask, Measurement>,
  task: CellTask,
  limits: SweepSpec['limits'],
  signal: AbortSignal | undefined,
): Promise<Outcome | null> {
  const time = AbortSignal.timeout(limits.seconds * 1000);
  try {
    const measurement = await pool.run(task, { signal: signal === undefined ? time : AbortSignal.any([time, signal]) });
    return { status: 'measured', measurement };
  } catch (error) {
    if (signal?.aborted) return null;
    return blamed(task.cell, limits, time.aborted, error as Error & { code?: string });
  }
}

function blamed(
  { strategy, workload }: Cell,
  { seconds, mebibytes }: SweepSpec['limits'],
  late: boolean,
  { code, message }: { code?: string; message: string },
): Outcome {
  if (late) return { status: 'time', blame: `strategy '${strategy}' on '${workload}' was not done in ${seconds} s` };
  if (code === 'ERR_WORKER_OUT_OF_MEMORY')
    return { status: 'memory', blame: `strategy '${strategy}' on '${workload}' needed more than ${mebibytes} MiB` };
  return { status: 'threw', blame: `strategy '${strategy}' on '${workload}': ${message}` };
}
