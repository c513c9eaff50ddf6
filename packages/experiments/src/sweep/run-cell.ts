import { isMainThread } from 'node:worker_threads';
import { messageOf } from '@rmap-lab/core';
import { keepStdoutForResults, loadStrategy, type ShortNames } from '@rmap-lab/core/load-strategy';
import { openWorkload } from '@rmap-lab/workloads';
import { type Measurement, measure } from '../measure.js';
import type { Cell } from './spec.js';

/** What a worker is sent. */
export interface CellTask {
  readonly cell: Cell;
  readonly shortNames: ShortNames;
  /** Where file names start from. */
  readonly from: string;
}

/** What a process that measures one cell answers. */
export type CellAnswer = { readonly measurement: Measurement } | { readonly error: string };

keepStdoutForResults();

/** Measures one cell. @throws StrategyLoadError, UnknownWorkload, BadParameter, TraceError */
export default async function runCell({ cell, shortNames, from }: CellTask): Promise<Measurement> {
  const { strategy, preset } = await loadStrategy(cell.strategy, shortNames, from);
  const { seed, layout } = cell;
  return measure(strategy, await openWorkload(cell.workload, cell.parameters, from), { seed, preset, ...(layout && { layout }) });
}

// As a process of its own it gets one task and gives one answer; as a thread the pool calls the function above.
if (isMainThread && process.send !== undefined)
  process.once('message', async (task: CellTask) => process.send?.(await answerTo(task)));

async function answerTo(task: CellTask): Promise<CellAnswer> {
  try {
    return { measurement: await runCell(task) };
  } catch (error) {
    return { error: messageOf(error) };
  }
}
