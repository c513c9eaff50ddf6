import { Execution } from './execution.js';
import { History } from './history.js';
import { type Program, Untraceable } from './program.js';
import { finished, isOver, type Search, type Searching, type SearchOptions, startSearch } from './search.js';

/** What {@link stateSearch} found. */
export interface StateSearch extends Search {
  /** States that were reached. */
  states: number;
}

/** As many as a set holds. */
const MOST_STATES = 2 ** 24;

/** States have no history: many lead to each. */
const NO_HISTORY = new History(0);

/** Where the search stands, by depth: who made the step, what that was, who else may, and the hash of what he had read by then. */
interface Frame {
  chosen: number;
  label: string;
  rest: number;
  read: number;
}

/**
 * Every state that can be reached, once: goes on from a state only when it is reached for the first time. A state is that of the
 * world, and for each thread the hash of all that it has read: as threads are deterministic, they go on alike where both are equal.
 * @throws Untraceable
 */
export function stateSearch(program: Program, options: SearchOptions = {}): StateSearch {
  return finished(stateSteps(program, options));
}

/** The same, with pauses. @param most states after which it stops, not exhausted */
export function* stateSteps(program: Program, options: SearchOptions = {}, most = MOST_STATES): Searching<StateSearch> {
  const search: StateSearch = { ...startSearch('state'), states: 0 };
  const seen = new Set<number>();
  const frames: Frame[] = [];
  let traced: number | undefined;
  for (;;) {
    const run = new Execution(program, null, 'traced');
    if (!run.traced) throw new Untraceable('the program does not say what its threads read: explore it by another engine');
    traced ??= run.retrace();
    // The last frame is to be tried another way; those before it are known.
    for (const { chosen, label, read } of frames.slice(0, -1)) run.again(chosen, label, read);
    let fresh = frames.length > 0 ? advance(run, frames[frames.length - 1]) : true;
    for (fresh &&= see(run); fresh; fresh = see(run)) {
      const enabled = run.enabled();
      if (enabled === 0) break;
      const last = frames.at(-1)?.chosen ?? 0;
      const chosen = (enabled & (1 << last)) !== 0 ? last : 31 - Math.clz32(enabled & -enabled);
      const frame = { chosen, label: '', rest: enabled & ~(1 << chosen), read: 0 };
      frames.push(frame);
      advance(run, frame);
    }
    if (fresh) finish(run);
    else search.blocked++;
    if (seen.size === most) return search;
    if (search.failure !== null && !options.keepGoing) return search;
    const before = traced;
    traced = run.retrace();
    if (traced !== before) {
      seen.clear();
      frames.length = 0;
    } else if (!backtrack()) {
      search.exhausted = true;
      return search;
    }
    yield;
    if (isOver(search, options)) return search;
  }

  /** Goes back to the last frame where another thread is to be tried; false: there is none. */
  function backtrack(): boolean {
    for (let frame = frames.at(-1); frame !== undefined; frame = frames.at(-1)) {
      if (frame.rest !== 0) {
        frame.chosen = 31 - Math.clz32(frame.rest & -frame.rest);
        frame.rest &= ~(1 << frame.chosen);
        return true;
      }
      frames.pop();
    }
    return false;
  }

  function advance(run: Execution, frame: Frame): boolean {
    frame.label = run.label(frame.chosen);
    run.step(frame.chosen);
    frame.read = run.read[frame.chosen];
    search.steps++;
    return true;
  }

  /** Whether the state is new. */
  function see(run: Execution): boolean {
    if (run.failure !== null) return true;
    const state = run.state();
    if (seen.has(state) || seen.size === most) return false;
    seen.add(state);
    search.states = seen.size;
    return true;
  }

  function finish(run: Execution): void {
    search.schedules++;
    const failure = run.finish();
    options.onTrace?.(NO_HISTORY, run);
    if (failure === null) return;
    search.failures++;
    search.failure ??= { error: failure, choices: frames.map(({ chosen }) => chosen) };
  }
}
