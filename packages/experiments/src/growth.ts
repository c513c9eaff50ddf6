import { designCaches } from './design-use.js';
import type { Measurement } from './measure.js';

/** One figure of the runs of one strategy, by the value of the parameter that was varied. */
export interface Growth {
  readonly figure: string;
  readonly values: readonly number[];
  /** k where the figure grows like parameter^k: slope of a least-squares line through the logarithms. null: it was 0 somewhere, or the parameter had one value. */
  readonly exponent: number | null;
  /** 1: the line goes through all points (R squared). */
  readonly fit: number | null;
}

const perOperation = (sums: Readonly<Record<string, number>>, operations: number): number =>
  operations === 0 ? 0 : Object.values(sums).reduce((a, b) => a + b, 0) / operations;

/** Figures that designs differ in. */
const FIGURES: Readonly<Record<string, (m: Measurement) => number>> = {
  'objects of the design: peak': ({ own }) => own.objects,
  'bytes of the design: peak': ({ own }) => own.bytes,
  'locks of a fork': ({ fork }) => perOperation(fork.locks, fork.operations),
  'objects of a fork': ({ fork }) => perOperation(fork.allocations, fork.operations),
  'candidates of a shared walk: largest': ({ walks }) => walks.shared.candidates.max,
  'candidates of a shared walk until all are found: largest': ({ walks }) => walks.shared.needed.max,
  'candidates of an exclusive walk: largest': ({ walks }) => walks.exclusive.candidates.max,
  'candidates of an exclusive walk until it is found: largest': ({ walks }) => walks.exclusive.needed.max,
  'look-ups of an exclusive walk: largest': ({ walks }) => walks.exclusive.lookups.max,
  'VMAs: peak': ({ vmas }) => vmas.peak,
  'VMAs merged': ({ merges }) => merges,
};

/** How the figures of `runs` grow with the parameter, whose values are in `parameter`, one for each run. */
export function growthOf(parameter: readonly number[], runs: readonly Measurement[]): Growth[] {
  const grown = (figure: string, of: (m: Measurement) => number): Growth => {
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
function lineThrough(xs: readonly number[], ys: readonly number[]): { exponent: number | null; fit: number | null } {
  if (new Set(xs).size < 2 || ys.some((y) => y <= 0)) return { exponent: null, fit: null };
  const u = xs.map(Math.log);
  const v = ys.map(Math.log);
  const mean = (a: readonly number[]): number => a.reduce((s, x) => s + x, 0) / a.length;
  const [mu, mv] = [mean(u), mean(v)];
  const spread = (a: readonly number[], ma: number, b: readonly number[], mb: number): number =>
    a.reduce((s, x, i) => s + (x - ma) * (b[i] - mb), 0);
  const slope = spread(u, mu, v, mv) / spread(u, mu, u, mu);
  const variance = spread(v, mv, v, mv);
  return { exponent: slope, fit: variance === 0 ? 1 : (slope * spread(u, mu, v, mv)) / variance };
}
