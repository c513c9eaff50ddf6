import type { Layout, RmapStrategy } from '@rmap-lab/core';
import type { Workload } from '@rmap-lab/workloads';
import { type Measurement, measure } from './measure.js';

/** A strategy to compare, with the name of its preset if it has one. */
export interface Contender {
  readonly strategy: RmapStrategy;
  readonly preset?: string | null;
}

/** What {@link compare} compares. */
export interface CompareOptions {
  /** Makes the workload anew for each strategy: its records are read once. */
  readonly workload: () => Workload | Promise<Workload>;
  readonly contenders: readonly Contender[];
  /** Chooses the folios whose walks are sampled: the same for all. Default 1. */
  readonly seed?: number;
  readonly layout?: Layout;
  readonly signal?: AbortSignal;
  /** Called now and then: whose turn it is, and operations done. */
  readonly onProgress?: (contender: Contender, operations: number) => void;
}

/** Strategies on the same workload, in the order they were given. */
export interface Comparison {
  readonly schema: 'rmap-lab/compare@1';
  readonly workload: string;
  readonly seed: number;
  readonly rows: readonly Measurement[];
}

/** Runs the same workload under each strategy, one after the other, each in a machine of its own. @throws TraceError for a damaged trace */
export async function compare({
  workload,
  contenders,
  seed = 1,
  layout,
  signal,
  onProgress,
}: CompareOptions): Promise<Comparison> {
  const rows: Measurement[] = [];
  let name = '';
  for (const contender of contenders) {
    if (signal?.aborted) break;
    const opened = await workload();
    name = opened.name;
    rows.push(
      await measure(contender.strategy, opened, {
        seed,
        preset: contender.preset ?? null,
        ...(layout && { layout }),
        ...(signal && { signal }),
        onProgress: (operations) => onProgress?.(contender, operations),
      }),
    );
  }
  return { schema: 'rmap-lab/compare@1', workload: name, seed, rows };
}
