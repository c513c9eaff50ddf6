import { conflict } from './access.js';
import { Execution } from './execution.js';
import { History } from './history.js';
import { Numbers } from './numbers.js';
import type { Program } from './program.js';
import { isOver, type Search, type SearchOptions, startSearch } from './search.js';

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

type Picker = (run: Execution, enabled: number) => number;

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

function highest(priority: readonly number[], enabled: number): number {
  let best = -1;
  for (let thread = 0; thread < priority.length; thread++)
    if ((enabled & (1 << thread)) !== 0 && (best < 0 || priority[thread] > priority[best])) best = thread;
  return best;
}

const PRIORITIES = 2 ** 30;

const pickers: Record<
  SampleOptions['engine'],
  (threads: number, length: number, depth: number, random: (n: number) => number) => Picker
> = {
  random: (_threads, _length, _depth, random) => (_run, enabled) => nth(enabled, random(size(enabled))),
  // Burckhardt, Kothari, Musuvathi and Nagarakatte, ASPLOS 2010.
  pct: (threads, length, depth, random) => {
    const priority = Array.from({ length: threads }, () => depth + random(PRIORITIES));
    const changes = Array.from({ length: depth - 1 }, () => random(length));
    let step = 0;
    return (_run, enabled) => {
      const change = changes.indexOf(step++);
      if (change >= 0) priority[highest(priority, enabled)] = change;
      return highest(priority, enabled);
    };
  },
  // Yuan, Yang and Gu, CAV 2018: a step's priority is drawn anew when a step that races with it was made.
  pos: (threads, _length, _depth, random) => {
    const priority = Array.from({ length: threads }, () => random(PRIORITIES));
    return (run, enabled) => {
      const next = highest(priority, enabled);
      const made = run.announced(next);
      for (let thread = 0; thread < threads; thread++) {
        if (run.pending[thread] === null) continue;
        const other = run.announced(thread);
        if (thread === next || (other >>> 3 === made >>> 3 && conflict(other & 7, made & 7)))
          priority[thread] = random(PRIORITIES);
      }
      return next;
    };
  },
};

/** Draws schedules at random; the same for the same seed. */
export function sample(program: Program, options: SampleOptions): Search & { readonly length: number } {
  const search = { ...startSearch(options.engine), length: 1 };
  // POS looks at what steps are about.
  const numbers = options.onTrace || options.engine === 'pos' ? new Numbers() : null;
  const random = seeded(options.seed);
  /** Of the schedule under way; what is behind its end is of an earlier one. */
  const choices: number[] = [];
  while (search.schedules === 0 || !isOver(search, options)) {
    const run = new Execution(program, numbers);
    const history = options.onTrace && new History(run.names.length);
    const pick = pickers[options.engine](run.names.length, search.length, options.depth, random);
    let made = 0;
    for (let enabled = run.enabled(); enabled !== 0; enabled = run.enabled()) {
      const thread = pick(run, enabled);
      choices[made++] = thread;
      run.step(thread);
      history?.push(thread, run.touched);
    }
    search.schedules++;
    search.steps += run.steps;
    search.length = Math.max(search.length, run.steps);
    const error = run.finish();
    if (history) options.onTrace?.(history, run);
    if (error === null) continue;
    search.failures++;
    search.failure ??= { error, choices: choices.slice(0, made) };
    if (!options.keepGoing) break;
  }
  return search;
}
