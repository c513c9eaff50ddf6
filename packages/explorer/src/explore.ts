import { messageOf } from '@rmap-lab/core';
import { boundedSteps, bruteForceSteps } from './bounded.js';
import { type Cause, causeOf } from './cause.js';
import { dporSteps } from './dpor.js';
import type { LockEdge } from './lock-edges.js';
import { type Minimal, minimise, minimiseSteps } from './minimise.js';
import type { Program } from './program.js';
import { type Sample, sampleSteps } from './random.js';
import { type Recording, recordFailure, preemptions as switches } from './recording.js';
import { ruleOf } from './rule.js';
import { type Engine, type FailingSchedule, finished, type Search, type Searching } from './search.js';
import { stateSteps } from './states.js';

/** How a program is explored. */
export interface ExploreOptions {
  /** Default `dpor`: every schedule that can make a difference. */
  readonly engine?: Engine;
  /** Schedules to run at most. Default: no limit for an engine that ends by itself, 10,000 for one that draws. */
  readonly maxSchedules?: number;
  /** Seconds to run at most. Default: no limit. */
  readonly maxSeconds?: number;
  /** Preemptions of `bounded`, and one less than the depth of `pct`. Default 2. */
  readonly preemptions?: number;
  /** Of engines that draw. Default 1. */
  readonly seed?: number;
  /** Ends the search; but while {@link explore} runs nobody else has a turn in which to abort it. */
  readonly signal?: AbortSignal;
}

/** What went wrong, in the schedule with the fewest operations and then the fewest preemptions that was found. */
export interface Failure {
  /** The rule that was broken, such as `R18`, or the name of the error. */
  readonly rule: string;
  readonly message: string;
  /** The thread that makes each step, by number. */
  readonly choices: readonly number[];
  /** Operations that it takes, those before the threads included; threads, of a program that can't be told in operations. */
  readonly operations: number;
  /** Operations of the program that it doesn't take, by number. */
  readonly dropped: readonly number[];
  readonly preemptions: number;
  /** The two steps to blame. */
  readonly cause: Cause | null;
  readonly recording: Recording;
  /** What locks are taken in opposite orders, each in a schedule that is right by itself: where this one, that was sought, ends. */
  readonly sought: LockEdge | null;
  /** Of such locks: the other schedules. */
  readonly others: readonly Failure[];
}

/** What is known after an exploration. */
export interface Verdict {
  readonly engine: Engine;
  readonly verdict: 'passes' | 'fails';
  /** Whether no schedule at all is left out. */
  readonly exhausted: boolean;
  /** What the verdict is good for, in words. */
  readonly bound: string;
  readonly schedules: number;
  /** Schedules given up half-way because others say the same. */
  readonly blocked: number;
  readonly steps: number;
  readonly seconds: number;
  readonly failure: Failure | null;
}

const DRAWS = 10_000;
const NEVER = new AbortController().signal;

/** Looks for a schedule in which the program fails. The verdict says what was covered. @throws Untraceable, Unrestorable, Unrepeatable, RangeError for more than 32 threads */
export function explore(program: Program, options: ExploreOptions = {}): Verdict {
  return finished(exploring(program, options));
}

/** The same, with pauses behind schedules. */
export function* exploring(program: Program, options: ExploreOptions = {}): Searching<Verdict> {
  const { engine = 'dpor', preemptions = 2 } = options;
  const began = performance.now();
  const { search, bound, exhausted } = yield* searchBy(engine, program, preemptions, options);
  program.over?.();
  const seconds = (performance.now() - began) / 1000;
  // No interrupt and no budget must hide what was learned; that is found again in about the time in which it was learned.
  const maxSeconds = exhausted ? Number.POSITIVE_INFINITY : 2 * seconds;
  const again = { ...options, maxSeconds, ...(options.signal?.aborted && { signal: NEVER }) };
  const failure =
    search.failure === null
      ? inversionOf(program, () => finished(searchBy(engine, program, preemptions, again)).search.failure)
      : describe(yield* minimiseSteps(program, search.failure, again.signal));
  return {
    engine,
    verdict: failure === null ? 'passes' : 'fails',
    exhausted,
    bound,
    schedules: search.schedules,
    blocked: search.blocked,
    steps: search.steps,
    seconds,
    failure,
  };
}

/** Schedules that take locks in opposite orders, as `search` finds them again one by one; null: there are none. */
function inversionOf(program: Program, search: () => FailingSchedule | null): Failure | null {
  const { edges } = program;
  if (edges === undefined) return null;
  const found = edges.circle().flatMap((edge) =>
    edges.seeking(edge, () => {
      const schedule = search();
      return schedule === null ? [] : [{ ...describe(minimise(program, schedule)), sought: edge }];
    }),
  );
  const [first, ...others] = found;
  return first === undefined ? null : { ...first, others };
}

/** A failing schedule, told step by step. */
export function describe({ program, dropped, error, choices }: Minimal): Failure {
  const recording = recordFailure(program, { error, choices });
  const operations = program.operations ?? recording.threads.length;
  return {
    rule: ruleOf(error),
    message: messageOf(error),
    choices,
    operations,
    dropped,
    preemptions: switches(program, choices),
    cause: causeOf(program, recording),
    recording,
    sought: null,
    others: [],
  };
}

interface Outcome {
  readonly search: Search;
  readonly bound: string;
  readonly exhausted: boolean;
}

function* searchBy(engine: Engine, program: Program, preemptions: number, options: ExploreOptions): Searching<Outcome> {
  switch (engine) {
    case 'dpor':
    case 'brute-force': {
      const search = yield* (engine === 'dpor' ? dporSteps : bruteForceSteps)(program, options);
      return {
        search,
        exhausted: search.exhausted,
        bound: search.exhausted ? 'every interleaving' : stopped(search, options.signal),
      };
    }
    case 'state': {
      const search = yield* stateSteps(program, options);
      const states = `${search.states} states, told apart by 53 bits; data races were looked for in ${search.schedules} schedules only`;
      return {
        search,
        exhausted: search.exhausted,
        bound: search.exhausted ? `every interleaving: ${states}` : stopped(search, options.signal),
      };
    }
    case 'bounded':
      return yield* deepen(program, preemptions, options);
    default: {
      const { maxSchedules = DRAWS, seed = 1 } = options;
      const search = yield* sampleSteps(program, { ...options, engine, maxSchedules, seed, depth: preemptions + 1 });
      return { search, exhausted: false, bound: drawn(search, engine, preemptions + 1) };
    }
  }
}

/** How a search ended that did not come to its end, in words. @param signal what may have ended it */
export function stopped({ failure, schedules }: { failure: unknown; schedules: number }, signal?: AbortSignal): string {
  if (failure !== null) return `stopped at the first failure, after ${schedules} schedules`;
  const interrupted = signal?.aborted && signal.reason?.name !== 'TimeoutError';
  return `${interrupted ? 'interrupted' : 'stopped by its budget'} after ${schedules} schedules`;
}

/** What is sure when a search with at most `bound` preemptions did not come to its end, in words before how it ended. */
export const withOneMore = (bound: number): string => (bound > 0 ? `at most ${bound - 1} preemptions; with one more, ` : '');

/** One preemption more at a time, so that the first failure has as few as can be. */
function* deepen(program: Program, preemptions: number, options: ExploreOptions): Searching<Outcome> {
  const { maxSeconds = Number.POSITIVE_INFINITY } = options;
  const began = performance.now();
  let schedules = 0;
  let steps = 0;
  for (let bound = 0; ; bound++) {
    const left = maxSeconds - (performance.now() - began) / 1000;
    const search = yield* boundedSteps(program, bound, { ...options, maxSeconds: left });
    schedules = search.schedules;
    steps += search.steps;
    const exhausted = search.exhausted && !search.cut;
    if (exhausted || bound === preemptions || !search.exhausted) {
      const below = search.failure === null ? withOneMore(bound) : '';
      const covered = search.exhausted ? `at most ${bound} preemptions` : `${below}${stopped(search, options.signal)}`;
      return { search: { ...search, schedules, steps }, exhausted, bound: exhausted ? 'every interleaving' : covered };
    }
  }
}

/** What so many schedules drawn by an engine say, in words. */
export function drawn(
  { schedules, first, length }: Pick<Sample, 'schedules' | 'first' | 'length'>,
  engine: Engine,
  depth: number,
): string {
  if (engine !== 'pct') return `${schedules} schedules drawn at random; no statement about the rest`;
  const one = (threads: number): number => 1 / (threads * length ** (depth - 1));
  const chance = 1 - (1 - one(2)) ** schedules;
  return `${schedules} schedules drawn by PCT: between two threads, a bug of depth ${depth} in the first ${first} steps is found with probability ${roundedDown(chance)} or more`;
}

/** A probability with two digits, which it is at least: one is never sure. */
function roundedDown(probability: number): string {
  if (probability === 0) return '0';
  const most = Math.min(probability, 0.99);
  const unit = 10 ** (Math.floor(Math.log10(most)) - 1);
  return (Math.floor(most / unit) * unit).toPrecision(2);
}
