import { isOutside, type ShortNames } from '@rmap-lab/core/load-strategy';
import { milliseconds } from '@rmap-lab/plumbing';
import { Piscina } from 'piscina';
import type { Measurement } from '../measure.js';
import { measureApart, OutOfMemory } from './own-process.js';
import type { CellTask } from './run-cell.js';
import type { Cell, SweepSpec } from './spec.js';
import type { Outcome } from './store.js';

/** How cells are run. */
export interface CellRunnerOptions {
  readonly shortNames: ShortNames;
  /** Where strategy files and packages are looked for. */
  readonly from: string;
  /** Cells at once. */
  readonly workers: number;
  /** For each cell. */
  readonly limits: SweepSpec['limits'];
}

/**
 * Measures cells: in worker threads, and those of strategies from outside each in a process of its own. So one that hangs, throws, kills
 * its process, eats the memory or spoils built-in objects costs its cell alone.
 */
export class CellRunner {
  private readonly pool: Piscina<CellTask, Measurement>;

  constructor(private readonly options: CellRunnerOptions) {
    this.pool = new Piscina<CellTask, Measurement>({
      filename: new URL('./run-cell.js', import.meta.url).href,
      minThreads: 0,
      maxThreads: options.workers,
      resourceLimits: { maxOldGenerationSizeMb: options.limits.mebibytes },
    });
  }

  /** One cell; null: `signal` ended it. */
  async run(cell: Cell, signal?: AbortSignal): Promise<Outcome | null> {
    const { shortNames, from, limits } = this.options;
    const time = AbortSignal.timeout(milliseconds(limits.seconds));
    try {
      const task: CellTask = { cell, shortNames, from };
      const until = signal === undefined ? time : AbortSignal.any([time, signal]);
      const measurement = await (isOutside(cell.strategy, shortNames)
        ? measureApart(task, limits.mebibytes, until)
        : this.pool.run(task, { signal: until }));
      return { status: 'measured', measurement };
    } catch (error) {
      if (signal?.aborted) return null;
      return blamed(cell, limits, time.aborted, error as Error & { code?: string });
    }
  }

  /** Ends all threads. */
  async destroy(): Promise<void> {
    await this.pool.destroy();
  }
}

function blamed(
  { strategy, workload }: Cell,
  { seconds, mebibytes }: SweepSpec['limits'],
  late: boolean,
  error: Error & { code?: string },
): Outcome {
  if (late) return { status: 'time', blame: `strategy '${strategy}' on '${workload}' was not done in ${seconds} s` };
  if (error instanceof OutOfMemory || error.code === 'ERR_WORKER_OUT_OF_MEMORY')
    return { status: 'memory', blame: `strategy '${strategy}' on '${workload}' needed more than ${mebibytes} MiB` };
  return { status: 'threw', blame: `strategy '${strategy}' on '${workload}': ${error.message}` };
}
