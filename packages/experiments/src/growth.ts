import { designCaches } from './design-use.js';
import type { Measurement } from './measure.js';
import type { WalkCosts } from './walk-sampler.js';

/** One figure of the runs of one strategy, by the value of the parameter that was varied. */
export interface Growth {
  readonly figure: string;
  /** null: nothing was measured, as no process forked, or no folio of that kind was walked. */
  readonly values: readonly (number | null)[];
  /** k where the figure grows like parameter^k: slope of a least-squares line through the logarithms. null: it was 0 or not measured somewhere, or the parameter had one value. */
  readonly exponent: number | null;
  /** 1: the line goes through all points (R squared). */
  readonly fit: number | null;
}

const perOperation = (sums: Readonly<Record<string, number>>, operations: number): number | null =>
  operations === 0 ? null : Object.values(sums).reduce((a, b) => a + b, 0) / operations;

const largest =
  (kind: 'shared' | 'exclusive', what: Exclude<keyof WalkCosts, 'sampled'>) =>
  ({ walks }: Measurement): number | null =>
    walks[kind].sampled === 0 ? null : walks[kind][what].max;

/** Figures that designs differ in. */
const FIGURES: Readonly<Record<string, (m: Measurement) => number | null>> = {
  'objects of the design: peak': ({ own }) => own.objects,
  'bytes of the design: peak': ({ own }) => own.bytes,
  'locks of a fork': ({ fork }) => perOperation(fork.locks, fork.operations),
  'objects of a fork': ({ fork }) => perOperation(fork.allocations, fork.operations),
  'candidates of a shared walk: largest': largest('shared', 'candidates'),
  'candidates of a shared walk until all are found: largest': largest('shared', 'needed'),
  'tree nodes, contexts of a shared walk: largest': largest('shared', 'nodes'),
  'look-ups of a shared walk: largest': largest('shared', 'lookups'),
  'locks of a shared walk: largest': largest('shared', 'locks'),
  'candidates of an exclusive walk: largest': largest('exclusive', 'candidates'),
  'candidates of an exclusive walk until it is found: largest': largest('exclusive', 'needed'),
  'tree nodes, contexts of an exclusive walk: largest': largest('exclusive', 'nodes'),
  'look-ups of an exclusive walk: largest': largest('exclusive', 'lookups'),
  'locks of an exclusive walk: largest': largest('exclusive', 'locks'),
  'VMAs mapped: peak': ({ vmas }) => vmas.peak,
  'VMAs merged': ({ merges }) => merges,
};

/** How the figures of `runs` grow with the parameter, whose values are in `parameter`, one for each run. */
export function growthOf(parameter: readonly number[], runs: readonly Measurement[]): Growth[] {
  const grown = (figure: string, of: (m: Measurement) => number | null): Growth => {
    const values = runs.map(of);
    return { figure, values, ...lineThrough(parameter, values) };
  };
  const caches = [...new Set(runs.flatMap(designCaches))];
  return [
    ...Object.entries(FIGURES).map(([figure, of]) => grown(figure, of)),
    ...caches.map((cache) => grown(`${cache}: peak`, ({ slab }) => slab[cache]?.peak ?? 0)),
  ];
}

/** Least squares through (log x, log y): through one point goes any line. */
function lineThrough(xs: readonly number[], ys: readonly (number | null)[]): { exponent: number | null; fit: number | null } {
  const v = ys.flatMap((y) => (y !== null && y > 0 ? [Math.log(y)] : []));
  if (new Set(xs).size < 2 || v.length < ys.length) return { exponent: null, fit: null };
  // The mean of equal logarithms need not be one of them.
  if (new Set(v).size === 1) return { exponent: 0, fit: 1 };
  const u = xs.map(Math.log);
  const mean = (a: readonly number[]): number => a.reduce((s, x) => s + x, 0) / a.length;
  const [mu, mv] = [mean(u), mean(v)];
  const spread = (a: readonly number[], ma: number, b: readonly number[], mb: number): number =>
    a.reduce((s, x, i) => s + (x - ma) * (b[i] - mb), 0);
  const slope = spread(u, mu, v, mv) / spread(u, mu, u, mu);
  return { exponent: slope, fit: (slope * spread(u, mu, v, mv)) / spread(v, mv, v, mv) };
}
