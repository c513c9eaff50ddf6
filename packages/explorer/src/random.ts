import { conflict } from './access.js';
import { Execution, MAX_STEPS } from './execution.js';
import { History } from './history.js';
import { finishAs } from './minimise.js';
import { Numbers } from './numbers.js';
import type { Program } from './program.js';
import { finished, isOver, type Search, type Searching, type SearchOptions, startSearch } from './search.js';

/** How {@link sample} draws schedules. */
export interface SampleOptions extends SearchOptions {
  readonly engine: 'pct' | 'pos' | 'random';
  readonly maxSchedules: number;
  readonly seed: number;
  /** Ordering constraints that a bug needs (PCT's d): one more than the preemptions it takes. */
  readonly depth: number;
}

/** A small seeded generator (mulberry32): the same schedules on every machine. */
export function seeded(seed: number): (n: number) => number {
  let state = seed | 0;
  return (n) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t ^= t + Math.imul(t ^ (t >>> 7), 61 | t);
    return ((t ^ (t >>> 14)) >>> 0) % n;
  };
}

/** Chooses who goes on. */
interface Picker {
  /** A schedule begins; the longest so far had `length` steps. */
  begin(length: number): void;
  pick(run: Execution, enabled: number): number;
}

const nth = (mask: number, n: number): number => {
  let rest = mask;
  for (let i = 0; i < n; i++) rest &= rest - 1;
  return 31 - Math.clz32(rest & -rest);
};
const size = (mask: number): number => {
  let n = 0;
  for (let rest = mask; rest !== 0; rest &= rest - 1) n++;
  return n;
};

function highest(priority: Int32Array, enabled: number): number {
  let best = -1;
  for (let thread = 0; thread < priority.length; thread++)
    if ((enabled & (1 << thread)) !== 0 && (best < 0 || priority[thread] > priority[best])) best = thread;
  return best;
}

const PRIORITIES = 2 ** 30;

const pickers: Record<SampleOptions['engine'], (threads: number, depth: number, random: (n: number) => number) => Picker> = {
  random: (_threads, _depth, random) => ({
    begin() {},
    pick: (_run, enabled) => nth(enabled, random(size(enabled))),
  }),
  // Burckhardt, Kothari, Musuvathi and Nagarakatte, ASPLOS 2010.
  pct: (threads, depth, random) => {
    const priority = new Int32Array(threads);
    const changes = new Int32Array(depth - 1);
    let step = 0;
    return {
      begin(length) {
        for (let thread = 0; thread < threads; thread++) priority[thread] = depth + random(PRIORITIES);
        for (let i = 0; i < changes.length; i++) changes[i] = random(length);
        step = 0;
      },
      pick(_run, enabled) {
        for (let i = 0; i < changes.length; i++)
          if (changes[i] === step) {
            priority[highest(priority, enabled)] = i;
            break;
          }
        step++;
        return highest(priority, enabled);
      },
    };
  },
  // Yuan, Yang and Gu, CAV 2018: a step's priority is drawn anew when a step that races with it was made.
  pos: (threads, _depth, random) => {
    const priority = new Int32Array(threads);
    return {
      begin() {
        for (let thread = 0; thread < threads; thread++) priority[thread] = random(PRIORITIES);
      },
      pick(run, enabled) {
        const next = highest(priority, enabled);
        const made = run.announced(next);
        for (let thread = 0; thread < threads; thread++) {
          if (run.pending[thread] === null) continue;
          const other = run.announced(thread);
          if (thread === next || (other >>> 3 === made >>> 3 && conflict(other & 7, made & 7)))
            priority[thread] = random(PRIORITIES);
        }
        return next;
      },
    };
  },
};

/** What {@link sample} found. */
export interface Sample extends Search {
  /** Of PCT: steps in which every schedule may have had its preemptions; some may have had them later, too. */
  readonly first: number;
  /** Steps of the longest schedule. */
  length: number;
}

/** Steps of the schedule without preemption: where PCT's first schedule may have its own. */
export function lengthOf(program: Program): number {
  const run = new Execution(program, null);
  finishAs(run, []);
  return Math.max(1, run.steps);
}

/** Draws schedules at random; the same for the same seed. @throws RangeError for a depth that no schedule has */
export function sample(program: Program, options: SampleOptions): Sample {
  return finished(sampleSteps(program, options));
}

/** The same, with pauses. */
export function* sampleSteps(program: Program, options: SampleOptions): Searching<Sample> {
  const { engine, depth } = options;
  if (engine === 'pct' && depth > MAX_STEPS)
    throw new RangeError(`pct makes fewer than ${MAX_STEPS} preemptions, as a schedule has no more steps, not ${depth - 1}`);
  // Measured beforehand: of a guess, the first schedule of each part would have its preemptions where the guess allows.
  const first = engine === 'pct' ? lengthOf(program) : 1;
  const search = { ...startSearch(engine), first, length: first };
  // POS looks at what steps are about.
  const numbers = options.onTrace || engine === 'pos' ? new Numbers() : null;
  const random = seeded(options.seed);
  let picker: Picker | undefined;
  /** Of the schedule under way; what is behind its end is of an earlier one. */
  const choices: number[] = [];
  while (search.schedules === 0 || !isOver(search, options)) {
    const run = new Execution(program, numbers);
    const history = options.onTrace && new History(run.names.length);
    picker ??= pickers[engine](run.names.length, depth, random);
    picker.begin(search.length);
    let made = 0;
    for (let enabled = run.enabled(); enabled !== 0; enabled = run.enabled()) {
      const thread = picker.pick(run, enabled);
      choices[made++] = thread;
      run.step(thread);
      history?.push(thread, run.touched);
    }
    search.schedules++;
    search.steps += run.steps;
    search.length = Math.max(search.length, run.steps);
    const error = run.finish();
    if (history) options.onTrace?.(history, run);
    if (error !== null) {
      search.failures++;
      search.failure ??= { error, choices: choices.slice(0, made) };
      if (!options.keepGoing) break;
    }
    yield;
  }
  return search;
}
