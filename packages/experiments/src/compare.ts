import type { Layout, RmapStrategy } from '@rmap-lab/core';
import type { Workload } from '@rmap-lab/workloads';
import { type Measurement, measure } from './measure.js';
import type { Outcome } from './sweep/store.js';

/** A strategy to compare, with the name of its preset if it has one. */
export interface KnownContender {
  readonly strategy: RmapStrategy;
  readonly preset?: string | null;
}

/** A strategy that is measured elsewhere, where it can do no harm: by a {@link CellRunner}. */
export interface OutsideContender {
  readonly name: string;
  /** The same workload under it; null: ended by the signal. */
  measure(signal: AbortSignal | undefined): Promise<Outcome | null>;
}

/** Who takes part in a comparison. */
export type Contender = KnownContender | OutsideContender;

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
  readonly onProgress?: (strategy: string, operations: number) => void;
}

/** Strategies on the same workload, in the order they were given. */
export interface Comparison {
  readonly schema: 'rmap-lab/compare@1';
  readonly workload: string;
  readonly seed: number;
  readonly rows: readonly Measurement[];
  /** What the rows are called: the strategy, its preset, and where two are of one name, what one from outside was asked for by. */
  readonly names: readonly string[];
  /** Strategies from outside that could not be measured to the end, and why. */
  readonly failed: readonly { readonly strategy: string; readonly blame: string }[];
  /** It was interrupted: a row may be `stopped`. */
  readonly partial?: true;
  /** Strategies that it was interrupted before, or that were measured elsewhere just then. */
  readonly notRun?: readonly string[];
}

/**
 * Runs the same workload under each strategy, one after the other, each in a machine of its own. @throws TraceError for a damaged trace,
 * and whatever `workload` throws: that is no strategy's failure
 */
export async function compare({
  workload,
  contenders,
  seed = 1,
  layout,
  signal,
  onProgress,
}: CompareOptions): Promise<Comparison> {
  const rows: Measurement[] = [];
  const asked: (string | null)[] = [];
  const failed: { strategy: string; blame: string }[] = [];
  const notRun: string[] = [];
  const { name, records } = await workload();
  for await (const _ of records) break;
  for (const contender of contenders) {
    if (signal?.aborted) {
      notRun.push(nameOf(contender));
      continue;
    }
    if ('measure' in contender) {
      onProgress?.(contender.name, 0);
      const outcome = await contender.measure(signal);
      if (outcome?.status === 'measured') {
        rows.push(outcome.measurement);
        asked.push(contender.name);
      } else if (outcome === null) notRun.push(contender.name);
      else failed.push({ strategy: contender.name, blame: outcome.blame });
      continue;
    }
    rows.push(
      await measure(contender.strategy, await workload(), {
        seed,
        preset: contender.preset ?? null,
        ...(layout && { layout }),
        ...(signal && { signal }),
        onProgress: (operations) => onProgress?.(contender.strategy.name, operations),
      }),
    );
    asked.push(null);
  }
  const partial = notRun.length > 0 || rows.some(({ stopped }) => stopped);
  return {
    schema: 'rmap-lab/compare@1',
    workload: name,
    seed,
    rows,
    names: namesOf(rows, asked),
    failed,
    ...(partial && { partial, notRun }),
  };
}

function nameOf(contender: Contender): string {
  if ('measure' in contender) return contender.name;
  return titled(contender.strategy.name, contender.preset);
}

const titled = (strategy: string, preset: string | null = null): string => (preset === null ? strategy : `${strategy}:${preset}`);

/** Authors compare versions of their design, and copies of another, which are all called the same. */
function namesOf(rows: readonly Measurement[], asked: readonly (string | null)[]): readonly string[] {
  const names = rows.map(({ strategy, preset }) => titled(strategy, preset));
  const isAlone = (name: string): boolean => names.indexOf(name) === names.lastIndexOf(name);
  return names.map((name, i) => (asked[i] === null || isAlone(name) ? name : `${name} (${asked[i]})`));
}
