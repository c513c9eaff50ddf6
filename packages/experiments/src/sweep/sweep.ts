import { availableParallelism } from 'node:os';
import type { Layout } from '@rmap-lab/core';
import type { ShortNames } from '@rmap-lab/core/load-strategy';
import { CellRunner } from './cell-runner.js';
import { withContents } from './contents.js';
import { cellsOf, inShard, type SweepSpec } from './spec.js';
import type { Outcome, ResultStore, StoredResult } from './store.js';

/** How a sweep is run. */
export interface SweepOptions {
  readonly shortNames?: ShortNames;
  /** Where files of strategies and traces are looked for. Default: the current folder. */
  readonly from?: string;
  /** Strategies that are known not to load, and why: their cells are not tried. */
  readonly unusable?: Readonly<Record<string, string>>;
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
  /** Cells whose figures were there already. */
  readonly found: number;
  /** Cells run now. */
  readonly run: number;
  /** What is known now of all cells, also of other shards. */
  readonly results: readonly StoredResult[];
}

/**
 * Runs every cell of `spec` that `store` has no figures of: what threw, or ran out of time or memory, may do better now. A strategy that
 * misbehaves costs its cell alone ({@link CellRunner}). @throws UnknownWorkload, BadParameter, TraceError, before anything runs
 */
export async function sweep(spec: SweepSpec, store: ResultStore, options: SweepOptions = {}): Promise<SweepSummary> {
  const { shortNames = {}, from = process.cwd(), unusable = {}, shard, workers = availableParallelism() } = options;
  const { layout, signal, onProgress } = options;
  const all = await withContents(cellsOf(spec, layout), { shortNames, from });
  const cells = all.filter((cell) => shard === undefined || inShard(cell, shard.index, shard.count));
  const waiting = cells.filter((cell) => store.resultOf(cell)?.outcome.status !== 'measured');
  const found = cells.length - waiting.length;
  let run = 0;
  onProgress?.(found, cells.length);
  const runner = new CellRunner({ shortNames, from, workers, limits: spec.limits });
  const take = async (): Promise<void> => {
    for (let cell = waiting.shift(); cell !== undefined && !signal?.aborted; cell = waiting.shift()) {
      const blame = unusable[cell.strategy];
      const outcome: Outcome | null = blame === undefined ? await runner.run(cell, signal) : { status: 'threw', blame };
      if (outcome === null) return;
      store.append(cell, outcome);
      run++;
      onProgress?.(found + run, cells.length);
    }
  };
  try {
    await Promise.all(Array.from({ length: workers }, take));
  } finally {
    await runner.destroy();
  }
  return { cells: cells.length, found, run, results: all.flatMap((cell) => store.resultOf(cell) ?? []) };
}
