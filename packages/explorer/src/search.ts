import type { Execution } from './execution.js';
import type { History } from './history.js';

/** How a search chooses schedules. */
export type Engine = 'dpor' | 'state' | 'brute-force' | 'bounded' | 'pct' | 'pos' | 'random';

/** A schedule that broke something. */
export interface FailingSchedule {
  readonly error: Error;
  /** The thread that made each step, by number. */
  readonly choices: readonly number[];
}

/** What a search did. */
export interface Search {
  readonly engine: Engine;
  /** Schedules run to their end. */
  schedules: number;
  /** Schedules given up half-way, as others say the same. */
  blocked: number;
  /** Steps made, without those repeated to come back to a branch. */
  steps: number;
  failures: number;
  /** The first schedule that failed. */
  failure: FailingSchedule | null;
  /** Whether nothing is left to try, within the bound where there is one. */
  exhausted: boolean;
  readonly started: number;
}

/** A search that pauses behind each schedule, so that whoever runs it can look around. */
export type Searching<T> = Generator<undefined, T, undefined>;

/** Runs a search without a look around. */
export function finished<T>(searching: Searching<T>): T {
  for (;;) {
    const turn = searching.next();
    if (turn.done) return turn.value;
  }
}

/** What limits a search. */
export interface SearchOptions {
  /** Schedules to run at most. */
  readonly maxSchedules?: number;
  /** Seconds to run at most. */
  readonly maxSeconds?: number;
  /** Ends the search where it pauses. */
  readonly signal?: AbortSignal;
  /** Do not stop at the first failure. */
  readonly keepGoing?: boolean;
  /** Told every schedule that ran to its end. */
  readonly onTrace?: (history: History, run: Execution) => void;
}

/** The account of a search that begins now. */
export const startSearch = (engine: Engine): Search => ({
  engine,
  schedules: 0,
  blocked: 0,
  steps: 0,
  failures: 0,
  failure: null,
  exhausted: false,
  started: performance.now(),
});

/** Whether a budget is used up. The clock is asked now and then only. */
export function isOver(search: Search, { maxSchedules, maxSeconds, signal }: SearchOptions): boolean {
  if (signal?.aborted) return true;
  if (maxSchedules !== undefined && search.schedules >= maxSchedules) return true;
  if (maxSeconds === undefined || ((search.schedules + search.blocked) & 63) !== 0) return false;
  return performance.now() - search.started > maxSeconds * 1000;
}
