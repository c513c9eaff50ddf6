import type { Feature, Kernel, KernelOptions, Operation, RmapStrategy } from '@rmap-lab/core';
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
  'scale',
] as const;

/** A group of cases. */
export type Level = (typeof LEVELS)[number];

/** One case, as data and a function. */
export interface ConformanceCase {
  /** `<level>/<name>`; permanent. */
  readonly id: string;
  readonly level: Level;
  readonly rule: RuleId;
  /** Without a must-case a strategy does not conform. */
  readonly strength: 'must' | 'should';
  /** What it can't be run without; a strategy that refuses one of them must really refuse. */
  readonly needs: readonly Feature[];
  readonly title: string;
  /** Where it stems from: a kernel function, a commit, an experiment. */
  readonly why: string;
  /** @throws CaseFailure, Unsupported, or what the model throws */
  run(lab: Lab): void;
}

/** What a case has to work with. */
export interface Lab {
  readonly strategy: RmapStrategy;
  readonly seed: number;
  /** A fresh machine under the strategy. */
  kernel(options?: Omit<KernelOptions, 'strategy'>): Kernel;
}

/** A case failed: what was expected, and what shows it. */
export class CaseFailure extends Error {
  override readonly name = 'CaseFailure';
  constructor(
    message: string,
    /** The rule that is broken, when it is another than the case's. */
    readonly rule: string | null = null,
    /** The shortest program that shows it. */
    readonly program: readonly Operation[] | null = null,
    /** The address spaces then. */
    readonly picture: string | null = null,
  ) {
    super(message);
  }
}

/** The case is about something that this machine can't check. */
export class CannotVerify extends Error {
  override readonly name = 'CannotVerify';
}
