/** Of numbers: median, 99th percentile, largest and sum; all 0 of none. */
export interface Distribution {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
  readonly total: number;
}

/** Median, 99th percentile, largest and sum. */
export function distribution(values: readonly number[]): Distribution {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
  return { p50: at(0.5), p99: at(0.99), max: sorted.at(-1) ?? 0, total: sorted.reduce((sum, n) => sum + n, 0) };
}
