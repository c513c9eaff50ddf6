import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Setup } from './row.js';

setFlagsFromString('--expose-gc');
const gc = runInNewContext('gc') as (options?: { readonly type: 'minor' }) => void;

/** Collects all garbage. Code that was compiled for what is gone goes, too. */
export const collect = (): void => gc();

/** Collects young garbage, so that nobody pays for what another left behind; compiled code stays. */
const collectYoung = (): void => gc({ type: 'minor' });

/** The middle value. */
export const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
};

/** Nanoseconds per operation of one run. */
function once(setup: Setup, n: number): number {
  const run = setup(n);
  collectYoung();
  const start = process.hrtime.bigint();
  const operations = run();
  return Number(process.hrtime.bigint() - start) / operations;
}

/** What two contestants cost in one run, in nanoseconds per operation. */
export interface Race {
  readonly ours: number;
  readonly other: number;
  /** Median over the rounds of the other's cost to ours: what happens to the machine meanwhile happens to both. */
  readonly ratio: number;
}

/** Told after each round how many are done, of how many. */
export type OnRound = (done: number, rounds: number) => void;

/** Lets both take turns, after rounds that only warm up. */
export const race = (ours: Setup, other: Setup, n: number, rounds: number, onRound: OnRound): Race =>
  raceAll([[ours, other]], n, rounds, onRound)[0];

/** Lets all pairs take turns. */
export function raceAll(
  pairs: readonly (readonly [ours: Setup, other: Setup])[],
  n: number,
  rounds: number,
  onRound: OnRound,
): Race[] {
  const laps: [number, number][][] = pairs.map(() => []);
  const warmUp = Math.ceil(rounds / 3);
  for (let round = 0; round < warmUp + rounds; round++) {
    onRound(round, warmUp + rounds);
    pairs.forEach(([ours, other], i) => {
      const a = once(ours, n);
      const b = once(other, n);
      if (round >= warmUp) laps[i].push([a, b]);
    });
  }
  return laps.map((own) => ({
    ours: median(own.map(([a]) => a)),
    other: median(own.map(([, b]) => b)),
    ratio: median(own.map(([a, b]) => b / a)),
  }));
}

/** Median cost of one operation at each size, in nanoseconds. Small sizes run more often. */
export function costs(setup: Setup, sizes: readonly number[]): number[] {
  const largest = Math.max(...sizes);
  for (let i = 0; i < 3; i++) once(setup, sizes[Math.min(1, sizes.length - 1)]);
  return sizes.map((n) => {
    const rounds = Math.min(15, Math.max(3, Math.ceil(largest / n)));
    return median(Array.from({ length: rounds }, () => once(setup, n)));
  });
}

/** The slope of the straight line through (log x, log y): the exponent of y as a power of x. */
export function exponent(x: readonly number[], y: readonly number[]): number {
  const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  const u = x.map(Math.log);
  const v = y.map(Math.log);
  const [mu, mv] = [mean(u), mean(v)];
  const covariance = u.reduce((sum, value, i) => sum + (value - mu) * (v[i] - mv), 0);
  return covariance / u.reduce((sum, value) => sum + (value - mu) ** 2, 0);
}
