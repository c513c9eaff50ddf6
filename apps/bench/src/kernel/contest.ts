import type { RmapStrategy } from '@rmap-lab/core';
import { CannotObserve } from '@rmap-lab/kernel-oracle';
import { median } from '../measure.js';
import type { Kind } from './kinds.js';
import { modelKernel } from './model.js';
import type { Lap, OperationList } from './operations.js';

/** What one side did in one timed run, and took: medians over the rounds. */
interface Side {
  /** Nanoseconds per operation. */
  readonly ns: number;
  /** System calls, a range of touches being one. */
  readonly calls: number;
  /** Pages touched or paged out. */
  readonly pages: number;
  /** Pages that ended in swap. */
  readonly swapped: number;
}

/** The model under one strategy. */
interface ModelSide extends Side {
  readonly strategy: string;
  /** Median over the rounds of the kernel's time to the model's: above 1 the model is faster. */
  readonly ratio: number;
}

/** One row: the same operation list on all sides. */
export interface KernelRow {
  readonly id: string;
  /** What one operation is. */
  readonly operation: string;
  /** Operations that one run was timed as. */
  readonly n: number;
  readonly kernel: Side;
  readonly models: readonly ModelSide[];
}

/** Laps of the model before the first that counts. */
const MODEL_WARM_UP = 40;

/** Runs a kind's list on all sides in turns, after rounds that only warm up. @throws Error when the sides did not do the same */
export function contest(
  kind: Kind,
  real: (list: OperationList) => Lap,
  strategies: ReadonlyMap<string, RmapStrategy>,
  { quick, rounds }: { readonly quick: boolean; readonly rounds: number },
): KernelRow {
  const n = quick ? kind.quickN : kind.n;
  const list = kind.list(n);
  const models = [...strategies].map(([strategy, value]) => ({ strategy, run: modelKernel(value), laps: [] as Lap[] }));
  const kernelLaps: Lap[] = [];
  // Both sides as they are after a while: the model's code is compiled and compiled again as it runs.
  real(list);
  for (const { run } of models) for (let lap = 0; lap < (quick ? 1 : MODEL_WARM_UP); lap++) run(list);
  for (let round = 0; round < rounds; round++) {
    kernelLaps.push(real(list));
    // Without a full collection before each: that throws compiled code away, and what follows is slower by a factor.
    for (const { run, laps } of models) laps.push(run(list));
  }
  const kernel = sideOf(kernelLaps, n);
  if (kind.swaps && kernel.swapped === 0) throw new CannotObserve('the kernel paged nothing out');
  return {
    id: kind.id,
    operation: kind.operation,
    n,
    kernel,
    models: models.map(({ strategy, laps }) => {
      const model = sideOf(laps, n);
      if (model.calls !== kernel.calls || model.pages !== kernel.pages)
        throw new Error(
          `${kind.id}: ${kernel.calls} calls and ${kernel.pages} pages in the kernel, ${model.calls} and ${model.pages} in the model`,
        );
      return { strategy, ...model, ratio: median(laps.map(({ nanoseconds }, i) => kernelLaps[i].nanoseconds / nanoseconds)) };
    }),
  };
}

function sideOf(laps: readonly Lap[], n: number): Side {
  const [{ calls, pages }] = laps;
  return {
    ns: median(laps.map(({ nanoseconds }) => nanoseconds / n)),
    calls,
    pages,
    swapped: median(laps.map(({ swapped }) => swapped)),
  };
}
