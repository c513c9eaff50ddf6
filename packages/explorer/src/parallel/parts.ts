import { Execution } from '../execution.js';
import { Numbers } from '../numbers.js';
import type { Program } from '../program.js';

/** A piece of a search that needs nothing of the others. */
export type Part =
  /** Every schedule that begins with `prefix` and has at most `bound` preemptions. */
  | { readonly bound: number; readonly prefix: readonly number[] }
  /** So many schedules drawn with a seed. */
  | { readonly seed: number; readonly schedules: number };

/** Names a part among those of one search. */
export const nameOf = (part: Part): string =>
  'seed' in part ? `seed ${part.seed}` : `bound ${part.bound} ${part.prefix.map((thread) => thread.toString(36)).join('')}`;

/** Beginnings of all schedules within a bound. */
export interface Frontier {
  readonly parts: readonly Part[];
  /** Whether the bound left beginnings out. */
  readonly cut: boolean;
}

interface Beginning {
  readonly prefix: readonly number[];
  readonly spent: number;
}

/** Beginnings of schedules, about `count` of them, that together begin every schedule with at most `bound` preemptions just once. */
export function frontier(program: Program, bound: number, count: number): Frontier {
  const numbers = new Numbers();
  let cut = false;
  const whole: Beginning[] = [];
  let open: Beginning[] = [{ prefix: [], spent: 0 }];
  while (open.length > 0 && open.length + whole.length < count) {
    const next: Beginning[] = [];
    for (const beginning of open) {
      const longer = goOn(program, numbers, beginning);
      const affordable = longer.filter(({ spent }) => spent <= bound);
      cut ||= affordable.length < longer.length;
      if (longer.length === 0) whole.push(beginning);
      else next.push(...affordable);
    }
    open = next;
  }
  return { parts: [...whole, ...open].map(({ prefix }) => ({ bound, prefix })), cut };
}

/** A beginning with each step that may follow; none when the schedule ends here. */
function goOn(program: Program, numbers: Numbers, { prefix, spent }: Beginning): Beginning[] {
  const run = new Execution(program, numbers);
  for (const thread of prefix) run.step(thread);
  const enabled = run.enabled();
  const last = prefix.at(-1);
  const leaving = last !== undefined && run.preempts(last) ? 1 : 0;
  const longer: Beginning[] = [];
  for (let rest = enabled; rest !== 0; rest &= rest - 1) {
    const thread = 31 - Math.clz32(rest & -rest);
    longer.push({ prefix: [...prefix, thread], spent: thread === last ? spent : spent + leaving });
  }
  return longer;
}

/** Pieces of a search that draws: seeds of their own, so that they are the same however many workers there are. */
export function seeds(seed: number, schedules: number, count: number): Part[] {
  const each = Math.ceil(schedules / count);
  return Array.from({ length: Math.ceil(schedules / each) }, (_, i) => ({
    seed: seed + i * 0x10001,
    schedules: Math.min(each, schedules - i * each),
  }));
}
