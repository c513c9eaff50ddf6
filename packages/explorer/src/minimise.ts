import { bounded, boundedSteps } from './bounded.js';
import { Execution } from './execution.js';
import { Numbers } from './numbers.js';
import type { Program } from './program.js';
import { preemptions } from './recording.js';
import { ruleOf } from './rule.js';
import { type FailingSchedule, finished, type Searching } from './search.js';

/** Schedules for operations, and again for preemptions: a number, so that what is found is the same on every machine. */
const SCHEDULES = 5_000;
/** Schedules of one program, which is but one of many to try. */
const SCHEDULES_EACH = 500;

/** A failing schedule of a program without what it doesn't need. */
export interface Minimal extends FailingSchedule {
  readonly program: Program;
  /** Operations that were left out, by number. */
  readonly dropped: readonly number[];
}

/** A schedule that breaks the same rule with as few operations, and then as few preemptions, as could be found in a moment. */
export function minimise(program: Program, failing: FailingSchedule): Minimal {
  return finished(minimiseSteps(program, failing));
}

/** The same, with pauses; ended by a signal, what was found by then. */
export function* minimiseSteps(program: Program, failing: FailingSchedule, signal?: AbortSignal): Searching<Minimal> {
  const merged = yield* mergeSwitches(program, failing, signal);
  const { program: smaller, dropped, ...schedule } = yield* fewerOperations(program, merged, signal);
  return { program: smaller, dropped, ...(yield* fewerPreemptions(smaller, schedule, signal)) };
}

/** Leaves operations out, the last ones first, as long as a schedule without them breaks the same rule. */
function* fewerOperations(program: Program, failing: FailingSchedule, signal: AbortSignal | undefined): Searching<Minimal> {
  let best: Minimal = { ...failing, program, dropped: [] };
  const { operations = 0, without } = program;
  if (without === undefined) return best;
  let left = SCHEDULES;
  for (let before = -1; best.dropped.length !== before; ) {
    before = best.dropped.length;
    for (let number = operations - 1; number >= 0 && left > 0 && !signal?.aborted; number--) {
      if (best.dropped.includes(number)) continue;
      const dropped = [...best.dropped, number];
      const candidate = without(new Set(dropped));
      const found = failureOf(candidate, best, (schedules) => {
        left -= schedules;
      });
      if (found !== null) best = { ...found, program: candidate, dropped };
      yield;
    }
  }
  return { ...best, dropped: [...best.dropped].sort((a, b) => a - b) };
}

/** A schedule of `program`, which is `known` with an operation less, that breaks the rule that `known` breaks. @param ran how many schedules it took */
function failureOf(program: Program, known: Minimal, ran: (schedules: number) => void): FailingSchedule | null {
  const rule = ruleOf(known.error);
  const same = (failure: FailingSchedule | null): FailingSchedule | null =>
    failure !== null && ruleOf(failure.error) === rule ? failure : null;
  try {
    const names = namesOf(program);
    if (names.length === 0) return null;
    const threads = namesOf(known.program).map((name) => names.indexOf(name));
    const followed = same(
      attempt(
        program,
        known.choices.map((thread) => threads[thread]).filter((thread) => thread >= 0),
      ),
    );
    if (followed !== null) return followed;
    for (let bound = 0; bound <= preemptions(known.program, known.choices); bound++) {
      const { failure, exhausted, schedules } = bounded(program, bound, { maxSchedules: SCHEDULES_EACH });
      ran(schedules);
      if (same(failure) !== null) return failure;
      if (!exhausted) break;
    }
  } catch {
    // Without that operation the world can't be made.
  }
  return null;
}

const namesOf = (program: Program): readonly string[] => new Execution(program, null).names;

function* fewerPreemptions(
  program: Program,
  failing: FailingSchedule,
  signal: AbortSignal | undefined,
): Searching<FailingSchedule> {
  const rule = ruleOf(failing.error);
  const best = yield* mergeSwitches(program, failing, signal);
  const most = preemptions(program, best.choices);
  for (let bound = 0; bound < most; bound++) {
    const options = { maxSchedules: SCHEDULES, ...(signal !== undefined && { signal }) };
    const { failure, exhausted } = yield* boundedSteps(program, bound, options);
    if (failure !== null && ruleOf(failure.error) === rule) return failure;
    if (!exhausted) break;
  }
  return best;
}

/** Lets each thread run on where it was switched away from, as long as the rule stays broken. */
function* mergeSwitches(program: Program, failing: FailingSchedule, signal: AbortSignal | undefined): Searching<FailingSchedule> {
  const rule = ruleOf(failing.error);
  let best = failing;
  for (let at = 1; at < best.choices.length && !signal?.aborted; at++) {
    const { choices } = best;
    if (choices[at] === choices[at - 1]) continue;
    const next = choices.indexOf(choices[at - 1], at);
    if (next < 0) continue;
    let end = next;
    while (choices[end] === choices[next]) end++;
    const moved = [...choices.slice(0, at), ...choices.slice(next, end), ...choices.slice(at, next), ...choices.slice(end)];
    const shorter = attempt(program, moved);
    if (
      shorter !== null &&
      ruleOf(shorter.error) === rule &&
      preemptions(program, shorter.choices) < preemptions(program, choices)
    ) {
      best = shorter;
      at = 0;
    }
    yield;
  }
  return best;
}

/** Follows `choices` where it can, and fills in where it can't; the failure, if there is one. */
function attempt(program: Program, choices: readonly number[]): FailingSchedule | null {
  const { error, made } = finishAs(new Execution(program, new Numbers()), choices);
  return error && { error, choices: made };
}

/** Lets a run go on by `choices` where it can, and after them with as few switches as it can, `last` first; how it ended, and the choices made. */
export function finishAs(run: Execution, choices: readonly number[], last = 0): { error: Error | null; made: readonly number[] } {
  const made: number[] = [];
  for (let i = 0; ; ) {
    const enabled = run.enabled();
    if (enabled === 0) break;
    while (i < choices.length && (enabled & (1 << choices[i])) === 0) i++;
    const fallback = (enabled & (1 << last)) !== 0 ? last : 31 - Math.clz32(enabled & -enabled);
    last = i < choices.length ? choices[i++] : fallback;
    made.push(last);
    run.step(last);
  }
  return { error: run.finish(), made };
}
