/** Of numbers: median, 99th percentile, largest and sum; all 0 of none. */
export interface Distribution {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
  readonly total: number;
}

/** Median, 99th percentile, largest and sum. A percentile is one of the numbers: the smallest that so many per cent do not exceed (nearest rank). */
export function distribution(values: readonly number[]): Distribution {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (percent: number): number => sorted[Math.ceil((percent * sorted.length) / 100) - 1] ?? 0;
  return { p50: at(50), p99: at(99), max: sorted.at(-1) ?? 0, total: sorted.reduce((sum, n) => sum + n, 0) };
}
