import type { RmapStrategy } from '@rmap-lab/core';
import type { OnRound } from './measure.js';

/**
 * Prepares a measurement at size `n`, which is not timed; the result does the work once and says how many operations that
 * were. It throws when the work had no effect, so that nobody can leave it out unnoticed, a compiler included.
 */
export type Setup = (n: number) => () => number;

/** The same on a machine with a strategy. */
export type MachineSetup = (n: number, strategy: RmapStrategy) => () => number;

/** The strategies to be measured, by the names that they were asked for. */
export type Strategies = ReadonlyMap<string, RmapStrategy>;

/** What a figure should reach. `of`: our own figure, or how many times better than the other it is. */
export interface Target {
  readonly of: 'ours' | 'ratio';
  readonly floor: number;
  readonly aim: number;
}

/** One line of the table; `ours` and `other` are in `unit`. */
export interface Row {
  readonly id: string;
  /** Null where there is no machine: a data structure alone. */
  readonly strategy: string | null;
  readonly unit: string;
  /** The size it was measured at; of a growth row, the largest. */
  readonly n: number;
  readonly ours: number;
  readonly other: number;
  readonly otherName: string;
  /** How many times better than the other we are; null where a quotient would say nothing. */
  readonly ratio: number | null;
  readonly better: 'higher' | 'lower';
  readonly target: Target | null;
  readonly reached: 'aim' | 'floor' | 'no' | null;
  /** What else belongs to the figure. */
  readonly note: string;
}

/** A row that can be asked for by its id. */
export interface Bench {
  readonly id: string;
  /** One row for each strategy; one where they make no difference. */
  run(quick: boolean, strategies: Strategies, onRound: OnRound): readonly Row[];
}

/** `row` with the verdict on its target. */
export function judged(row: Omit<Row, 'reached'>): Row {
  const { target, better } = row;
  const figure = target?.of === 'ratio' ? row.ratio : row.ours;
  if (target === null || figure === null) return { ...row, reached: null };
  const reaches = (goal: number): boolean => (target.of === 'ratio' || better === 'higher' ? figure >= goal : figure <= goal);
  return { ...row, reached: reaches(target.aim) ? 'aim' : reaches(target.floor) ? 'floor' : 'no' };
}
