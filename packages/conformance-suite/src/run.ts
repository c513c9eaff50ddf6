import { messageOf, programToCode, type RmapStrategy, Unsupported } from '@rmap-lab/core';
import { CaseFailure, type ConformanceCase, type Evidence, type Level, type Strength } from './case.js';
import { cases as allCases } from './cases/index.js';
import { PREEMPTIONS, SEED } from './defaults.js';
import { RULES, type RuleId, ruleOf } from './rules.js';
import { checkVersions } from './versions.js';

/** How a case ended. Refused: the strategy says it can't, and refuses; unverified: this machine can't tell. */
export type Outcome = 'passed' | 'failed' | 'refused' | 'unverified';

/** One case's result. */
export interface CaseResult {
  readonly id: string;
  readonly level: Level;
  readonly rule: RuleId;
  readonly strength: Strength;
  readonly title: string;
  /** What it stems from: functions and commits of the kernel. */
  readonly why: string;
  readonly outcome: Outcome;
  /** Whether a concurrent case passed in every interleaving, or in those with few preemptions only; null: it did not pass, or is none. */
  readonly everyInterleaving: boolean | null;
  readonly milliseconds: number;
  /** Why it failed, or could not be verified. */
  readonly message: string | null;
  /** The rule that is broken, as a sentence. */
  readonly broken: string | null;
  /** The shortest program that shows it, as code that can be pasted. */
  readonly code: string | null;
  /** What else shows it: address spaces before and after, mappings, the schedule. */
  readonly evidence: Omit<Evidence, 'rule' | 'program'>;
}

/** A whole run. */
export interface ConformanceReport {
  readonly strategy: string;
  readonly seed: number;
  readonly results: readonly CaseResult[];
  /** Cases that were chosen: more than there are results where the run came to no end. */
  readonly of: number;
  readonly score: {
    /** Cases of this strength. */
    readonly must: number;
    /** Cases that ended so. */
    readonly passed: number;
    readonly failed: number;
    readonly refused: number;
    /** Cases of this strength. */
    readonly sampled: number;
    /** Cases that ended so, for whatever reason. */
    readonly unverified: number;
  };
  /** No must-case and no sampled one failed. */
  readonly conforms: boolean;
  readonly seconds: number;
}

/** Which cases to run, and how. */
export interface ConformanceOptions {
  /** Only cases of these levels. */
  readonly levels?: readonly Level[];
  /** Only cases whose id contains this. */
  readonly grep?: string;
  /** Of random programs. Default 1. */
  readonly seed?: number;
  /**
   * Switches away from a thread that could have gone on, in concurrent schedules, at most. Default 2. Infinity: every interleaving
   * that makes a difference; where these are too many, at most 2 switches again, and the result says so.
   */
  readonly preemptions?: number;
  /** Every n-th case from the i-th, counted from 1. */
  readonly shard?: { readonly index: number; readonly count: number };
  /** Told of every case when it ends. */
  readonly onResult?: (result: CaseResult, done: number, of: number) => void;
}

/** The cases that the options choose. */
export function selectCases({ levels, grep, shard }: ConformanceOptions = {}): readonly ConformanceCase[] {
  return allCases
    .filter(({ level, id }) => (levels?.includes(level) ?? true) && (grep === undefined || id.includes(grep)))
    .filter((_, i) => shard === undefined || i % shard.count === shard.index - 1);
}

/** Runs the suite on a strategy. Whatever the strategy throws becomes a result. @throws WrongVersions before anything is run */
export function runConformance(strategy: RmapStrategy, options: ConformanceOptions = {}): ConformanceReport {
  const { seed = SEED, onResult } = options;
  checkVersions(strategy);
  const chosen = selectCases(options);
  const started = performance.now();
  const results = chosen.map((each, i) => {
    const result = runCase(each, strategy, options);
    onResult?.(result, i + 1, chosen.length);
    return result;
  });
  return reportOf(strategy.name, seed, results, (performance.now() - started) / 1000, chosen.length);
}

/** What results amount to. */
export function reportOf(
  strategy: string,
  seed: number,
  results: readonly CaseResult[],
  seconds: number,
  of: number,
): ConformanceReport {
  const count = (outcome: Outcome): number => results.filter((result) => result.outcome === outcome).length;
  return {
    strategy,
    seed,
    results,
    of,
    score: {
      must: results.filter(({ strength }) => strength === 'must').length,
      passed: count('passed'),
      failed: count('failed'),
      refused: count('refused'),
      sampled: results.filter(({ strength }) => strength === 'sampled').length,
      unverified: count('unverified'),
    },
    conforms: !results.some(decides),
    seconds,
  };
}

/** Whether a result keeps a strategy from conforming. */
export const decides = ({ strength, outcome }: Pick<CaseResult, 'strength' | 'outcome'>): boolean =>
  outcome === 'failed' && (strength === 'must' || strength === 'sampled');

/** Runs one case. */
export function runCase(
  each: ConformanceCase,
  strategy: RmapStrategy,
  { seed = SEED, preemptions = PREEMPTIONS }: Pick<ConformanceOptions, 'seed' | 'preemptions'> = {},
): CaseResult {
  const started = performance.now();
  let covers: boolean | null = null;
  const covered = (everyInterleaving: boolean): void => {
    covers = everyInterleaving;
  };
  const refuses = each.needs.filter((feature) => strategy.unsupported?.[feature] !== undefined);
  const reason = each.unverifiable?.(strategy) ?? null;
  const end =
    reason === null
      ? outcomeOf(() => each.run({ strategy, seed, preemptions, covered }), refuses, each.rule)
      : ({ ...NOTHING, outcome: 'unverified', message: reason } as const);
  const { id, level, rule, strength, title, why } = each;
  const milliseconds = performance.now() - started;
  const everyInterleaving = end.outcome === 'passed' ? covers : null;
  return { id, level, rule, strength, title, why, ...end, everyInterleaving, milliseconds };
}

type End = Pick<CaseResult, 'outcome' | 'message' | 'broken' | 'code' | 'evidence'>;
const NOTHING = { message: null, broken: null, code: null, evidence: {} };

function outcomeOf(run: () => void, refuses: readonly string[], rule: RuleId): End {
  try {
    run();
  } catch (error) {
    if (error instanceof Unsupported)
      return refuses.length > 0 ? { ...NOTHING, outcome: 'refused', message: messageOf(error) } : failed(error, 'R33');
    return failed(error, rule);
  }
  if (refuses.length === 0) return { ...NOTHING, outcome: 'passed' };
  const message = `'unsupported' names ${refuses.join(', ')}, and the strategy did not refuse it`;
  return { ...NOTHING, outcome: 'failed', message, broken: `R33: ${RULES.R33}` };
}

/** @param rule what is broken unless the error knows better */
function failed(error: unknown, rule: RuleId): End {
  const { rule: named, program, ...evidence } = error instanceof CaseFailure ? error.evidence : {};
  const id = named ?? ruleOf(error) ?? rule;
  return {
    outcome: 'failed',
    message: messageOf(error),
    broken: `${id}: ${RULES[id]}`,
    code: program === undefined ? null : programToCode(program),
    evidence,
  };
}
