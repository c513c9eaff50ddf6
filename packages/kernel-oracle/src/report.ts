import type { Operation } from '@rmap-lab/core';
import type { Difference, Verdict } from './judge.js';

/** What a comparison gave, whoever was asked. */
export interface OracleReport {
  /** Whose answers the model was compared with, in words. */
  readonly judge: string;
  /** Of the random programs; null where there are none. */
  readonly seed: number | null;
  readonly operations: number;
  /** Looks at everything of all processes. */
  readonly observations: number;
  /** Shrunk where that can be done; at most a few, then a campaign ends. */
  readonly differences: readonly Difference[];
  /** Differences that are understood and listed in known-differences.ts. */
  readonly known: number;
  /** What was compared, in words. */
  readonly columns: readonly string[];
  /** What could not be seen, and why. */
  readonly missing: readonly string[];
  /** What else a reader must know. */
  readonly notes: readonly string[];
  /** Whether a signal ended it before its time: all figures are of what was compared by then. */
  readonly partial: boolean;
  /** Operations by kind. */
  readonly byKind: Readonly<Record<string, number>>;
  readonly seconds: number;
}

/** Adds up verdicts. */
export class Tally {
  operations = 0;
  observations = 0;
  known = 0;
  readonly differences: Difference[] = [];
  readonly byKind: Record<string, number> = {};
  private readonly start = performance.now();

  add(program: readonly Operation[], { operations, observations }: Omit<Verdict, 'difference'>): void {
    this.operations += operations;
    this.observations += observations;
    for (const { op } of program) this.byKind[op] = (this.byKind[op] ?? 0) + 1;
  }

  /** All so far. */
  report(about: Pick<OracleReport, 'judge' | 'seed' | 'columns' | 'missing' | 'notes' | 'partial'>): OracleReport {
    const { operations, observations, differences, known, byKind } = this;
    return { ...about, operations, observations, differences, known, byKind, seconds: (performance.now() - this.start) / 1000 };
  }
}
