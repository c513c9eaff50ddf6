import { Execution } from './execution.js';
import { History } from './history.js';
import { Numbers } from './numbers.js';
import type { Program } from './program.js';
import { type Engine, finished, isOver, type Search, type Searching, type SearchOptions, startSearch } from './search.js';

/** What {@link bounded} found: `cut` says whether the bound left schedules out. */
export interface BoundedSearch extends Search {
  cut: boolean;
}

/** What limits {@link bounded}. */
export interface BoundedOptions extends SearchOptions {
  /** Only schedules that begin with these choices. */
  readonly prefix?: readonly number[];
}

/** Every schedule with at most `preemptions` switches away from a thread that could have gone on and did not offer to wait (iterative context bounding, CHESS). */
export function bounded(program: Program, preemptions: number, options: BoundedOptions = {}): BoundedSearch {
  return finished(boundedSteps(program, preemptions, options));
}

/** The same, with pauses. */
export function boundedSteps(program: Program, preemptions: number, options: BoundedOptions = {}): Searching<BoundedSearch> {
  return enumerate('bounded', program, preemptions, options);
}

/** Every schedule there is: the oracle of the other engines, for the smallest programs. */
export function bruteForce(program: Program, options: SearchOptions = {}): Search {
  return finished(bruteForceSteps(program, options));
}

/** The same, with pauses. */
export function bruteForceSteps(program: Program, options: SearchOptions = {}): Searching<Search> {
  return enumerate('brute-force', program, Number.POSITIVE_INFINITY, options);
}

function* enumerate(engine: Engine, program: Program, bound: number, options: BoundedOptions): Searching<BoundedSearch> {
  const search: BoundedSearch = { ...startSearch(engine), cut: false };
  const numbers = options.onTrace ? new Numbers() : null;
  const { prefix = [] } = options;
  /** By depth: the thread that runs, what it does, those still to be tried, what it costs to leave the one that ran before, and preemptions so far. */
  const chosen: number[] = [];
  const labels: string[] = [];
  const rest: number[] = [];
  const cost: number[] = [];
  const spent: number[] = [0];
  for (;;) {
    const run = new Execution(program, numbers);
    const history = options.onTrace && new History(run.names.length);
    // The last one is to be tried another way.
    const known = chosen.length - 1;
    for (let depth = 0; ; depth++) {
      if (depth === chosen.length) {
        const enabled = run.enabled();
        if (enabled === 0) break;
        const same = depth > 0 ? enabled & (1 << chosen[depth - 1]) : 0;
        const first = same !== 0 ? same : enabled & -enabled;
        const more = enabled & ~first;
        cost[depth] = same !== 0 && !run.offers(chosen[depth - 1]) ? 1 : 0;
        if (depth < prefix.length) {
          chosen.push(prefix[depth]);
          rest.push(0);
          spent[depth + 1] = spent[depth] + (same !== 1 << prefix[depth] ? cost[depth] : 0);
        } else {
          const affordable = spent[depth] + cost[depth] <= bound;
          if (!affordable && more !== 0) search.cut = true;
          chosen.push(31 - Math.clz32(first));
          rest.push(affordable ? more : 0);
          spent[depth + 1] = spent[depth];
        }
      }
      if (depth < known) run.expect(chosen[depth], labels[depth]);
      else labels[depth] = run.label(chosen[depth]);
      run.step(chosen[depth]);
      history?.push(chosen[depth], run.touched);
    }
    search.schedules++;
    search.steps += run.steps;
    const error = run.finish();
    if (history) options.onTrace?.(history, run);
    if (error !== null) {
      search.failures++;
      search.failure ??= { error, choices: [...chosen] };
      if (!options.keepGoing) return search;
    }
    while (rest.length > 0 && rest[rest.length - 1] === 0) {
      rest.pop();
      chosen.pop();
    }
    if (rest.length === 0) {
      search.exhausted = true;
      return search;
    }
    const depth = rest.length - 1;
    const next = rest[depth] & -rest[depth];
    chosen[depth] = 31 - Math.clz32(next);
    rest[depth] &= ~next;
    // Whoever could go on was tried first.
    spent[depth + 1] = spent[depth] + cost[depth];
    yield;
    if (isOver(search, options)) return search;
  }
}
