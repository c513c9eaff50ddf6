import type { Feature, Operation, RmapStrategy } from '@rmap-lab/core';
import type { RuleId } from './rules.js';

/** The levels, in the order in which a new strategy passes them. */
export const LEVELS = [
  'contract',
  'one-address-space',
  'families',
  'large-folios',
  'walkers',
  'failure',
  'random',
  'concurrency',
  'scale',
] as const;

/** A group of cases. */
export type Level = (typeof LEVELS)[number];

/**
 * What a case is worth. must: a strategy that fails does not conform; sampled: the same, but a pass is evidence for the seed and no proof;
 * should: reported only; unverified: stated, and checked by nobody.
 */
export type Strength = 'must' | 'should' | 'sampled' | 'unverified';

/** One case, as data and a function. */
export interface ConformanceCase {
  /** `<level>/<name>`; permanent. */
  readonly id: string;
  readonly level: Level;
  readonly rule: RuleId;
  readonly strength: Strength;
  /** What it can't be run without; a strategy that refuses one of them must really refuse. */
  readonly needs: readonly Feature[];
  readonly title: string;
  /** Where it stems from: a kernel function, a commit, an experiment. */
  readonly why: string;
  /** Why nothing here can tell of this strategy, in words; null or absent: {@link run} does. */
  unverifiable?(strategy: RmapStrategy): string | null;
  /** @throws CaseFailure, Unsupported, or what the model throws */
  run(lab: Lab): void;
}

/** What a case has to work with. */
export interface Lab {
  readonly strategy: RmapStrategy;
  readonly seed: number;
  /** Of concurrent schedules, at most; Infinity: every interleaving that makes a difference. */
  readonly preemptions: number;
  /** To be told by a concurrent case that passes: whether it left no interleaving out. */
  covered(everyInterleaving: boolean): void;
}

/** What shows that a case failed, as far as it is known. */
export interface Evidence {
  /** The rule that is broken, when it is another than the case's. */
  readonly rule?: RuleId | null;
  /** The shortest program that shows it. */
  readonly program?: readonly Operation[];
  /** The address spaces before its last operation, or before any thread ran. */
  readonly before?: string;
  /** The address spaces when it showed. */
  readonly after?: string;
  /** Of pages whose walk was wrong then: where they are mapped, and where they were found. */
  readonly mappings?: string;
  /** The schedule that leads there, a column for each thread. */
  readonly schedule?: string;
}

/** A case failed: what was expected, and what shows it. */
export class CaseFailure extends Error {
  override readonly name = 'CaseFailure';
  constructor(
    message: string,
    readonly evidence: Evidence = {},
  ) {
    super(message);
  }
}
