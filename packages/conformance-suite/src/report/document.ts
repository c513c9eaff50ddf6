import { LEVELS, type Strength } from '../case.js';
import type { ConformanceReport, Outcome } from '../run.js';
import { CONTRACT, installed } from '../versions.js';

/** What `--json` prints (`rmap-lab/conformance@1`). */
export interface ConformanceDocument {
  readonly schema: 'rmap-lab/conformance@1';
  readonly strategy: string;
  /** Version of the suite. */
  readonly suite: string;
  /** Version of the contract. */
  readonly contract: number;
  readonly seed: number;
  /** Outcomes by level. */
  readonly levels: Readonly<Record<string, Readonly<Record<Outcome, number>>>>;
  readonly cases: readonly {
    readonly id: string;
    readonly rule: string;
    readonly strength: Strength;
    readonly outcome: Outcome;
  }[];
  readonly score: ConformanceReport['score'];
  /** Only where the run came to no end: the cases are those that were over by then. */
  readonly partial?: true;
}

/** A report as one document. */
export function documentOf(report: ConformanceReport): ConformanceDocument {
  const { strategy, seed, results, of, score } = report;
  const levels = LEVELS.filter((level) => results.some((result) => result.level === level)).map((level) => {
    const count = (outcome: Outcome): number => results.filter((each) => each.level === level && each.outcome === outcome).length;
    return [
      level,
      { passed: count('passed'), failed: count('failed'), refused: count('refused'), unverified: count('unverified') },
    ] as const;
  });
  return {
    schema: 'rmap-lab/conformance@1',
    strategy,
    suite: installed.suite,
    contract: CONTRACT,
    seed,
    levels: Object.fromEntries(levels),
    cases: results.map(({ id, rule, strength, outcome }) => ({ id, rule, strength, outcome })),
    score,
    ...(results.length < of && { partial: true }),
  };
}
