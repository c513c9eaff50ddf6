import { isOutside, type ShortNames } from '@rmap-lab/core/load-strategy';
import { Piscina } from 'piscina';
import type { Measurement } from '../measure.js';
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
 * Measures cells in worker threads. A strategy that hangs, throws, ends its thread or eats the memory costs its cell alone; one from
 * outside has threads of its own, so that what it does to their built-in objects meets no other strategy.
 */
export class CellRunner {
  private readonly pools = new Map<string, Piscina<CellTask, Measurement>>();

  constructor(private readonly options: CellRunnerOptions) {}

  /** One cell; null: `signal` ended it. */
  async run(cell: Cell, signal?: AbortSignal): Promise<Outcome | null> {
    const { shortNames, from, limits } = this.options;
    const time = AbortSignal.timeout(limits.seconds * 1000);
    try {
      const measurement = await this.poolFor(cell.strategy).run(
        { cell, shortNames, from },
        { signal: signal === undefined ? time : AbortSignal.any([time, signal]) },
      );
      return { status: 'measured', measurement };
    } catch (error) {
      if (signal?.aborted) return null;
      return blamed(cell, limits, time.aborted, error as Error & { code?: string });
    }
  }

  /** Ends all threads. */
  async destroy(): Promise<void> {
    await Promise.all([...this.pools.values()].map((pool) => pool.destroy()));
  }

  private poolFor(strategy: string): Piscina<CellTask, Measurement> {
    const { shortNames, workers, limits } = this.options;
    const key = isOutside(strategy, shortNames) ? strategy : '';
    const pool =
      this.pools.get(key) ??
      new Piscina<CellTask, Measurement>({
        filename: new URL('./run-cell.js', import.meta.url).href,
        minThreads: 0,
        maxThreads: workers,
        resourceLimits: { maxOldGenerationSizeMb: limits.mebibytes },
      });
    this.pools.set(key, pool);
    return pool;
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
