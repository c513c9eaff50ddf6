import { bounded } from './bounded.js';
import { Execution } from './execution.js';
import { Numbers } from './numbers.js';
import type { Program } from './program.js';
import { preemptions } from './recording.js';
import { ruleOf } from './rule.js';
import type { FailingSchedule } from './search.js';

const SECONDS = 2;

/** A schedule that breaks the same rule with as few preemptions as could be found in a moment. */
export function minimise(program: Program, failing: FailingSchedule): FailingSchedule {
  const rule = ruleOf(failing.error);
  let best = mergeSwitches(program, failing, rule);
  const most = preemptions(program, best.choices);
  for (let bound = 0; bound < most; bound++) {
    const { failure, exhausted } = bounded(program, bound, { maxSeconds: SECONDS });
    if (failure !== null && ruleOf(failure.error) === rule) {
      best = failure;
      break;
    }
    if (!exhausted) break;
  }
  return best;
}

/** Lets each thread run on where it was switched away from, as long as the rule stays broken. */
function mergeSwitches(program: Program, failing: FailingSchedule, rule: string): FailingSchedule {
  let best = failing;
  for (let at = 1; at < best.choices.length; at++) {
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
  }
  return best;
}

/** Follows `choices` where it can, and fills in where it can't; the failure, if there is one. */
function attempt(program: Program, choices: readonly number[]): FailingSchedule | null {
  const run = new Execution(program, new Numbers());
  const made: number[] = [];
  let last = 0;
  for (let i = 0; ; ) {
    const enabled = run.enabled();
    if (enabled === 0) break;
    while (i < choices.length && (enabled & (1 << choices[i])) === 0) i++;
    const fallback = (enabled & (1 << last)) !== 0 ? last : 31 - Math.clz32(enabled & -enabled);
    last = i < choices.length ? choices[i++] : fallback;
    made.push(last);
    run.step(last);
  }
  const error = run.finish();
  return error && { error, choices: made };
}
