export { Census } from './census.js';
export {
  type CompareOptions,
  type Comparison,
  type Contender,
  compare,
  type KnownContender,
  type OutsideContender,
} from './compare.js';
export type { Cost } from './cost.js';
export { designCaches, designUse } from './design-use.js';
export { type Distribution, distribution } from './distribution.js';
export { Draw } from './draw.js';
export { type Growth, growthOf } from './growth.js';
export {
  type CacheUse,
  type MarkUse,
  type Measurement,
  type MeasureOptions,
  measure,
  type VerifySums,
} from './measure.js';
export type { Added, OwnPeak } from './own-peak.js';
export { CellRunner, type CellRunnerOptions } from './sweep/cell-runner.js';
export { BadSweep, type Cell, cellId, cellsOf, inShard, parseSweep, type SweepSpec, sweepSchema } from './sweep/spec.js';
export { BadStore, type Outcome, ResultStore, type StoredResult } from './sweep/store.js';
export { type SweepOptions, type SweepSummary, sweep } from './sweep/sweep.js';
export type { WalkCosts } from './walk-sampler.js';
