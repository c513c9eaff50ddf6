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

keepStdoutForResults();

/** Measures one cell. @throws StrategyLoadError, UnknownWorkload, BadParameter, TraceError */
export default async function runCell({ cell, shortNames, from }: CellTask): Promise<Measurement> {
  const { strategy, preset } = await loadStrategy(cell.strategy, shortNames, from);
  const { seed, layout } = cell;
  return measure(strategy, await openWorkload(cell.workload, cell.parameters), { seed, preset, ...(layout && { layout }) });
}
