import { Execution } from './execution.js';
import { History } from './history.js';
import { Numbers } from './numbers.js';
import type { Program } from './program.js';

/** One step of a recorded schedule. */
export interface RecordedStep {
  /** Number of the thread in `Recording.threads`. */
  readonly thread: number;
  /** What the step does, such as `lock anon_vma`. */
  readonly what: string;
  /** What the thread holds before the step, oldest first, such as `anon_vma W`. */
  readonly held: readonly string[];
  /** Earlier steps, by number, that could have come after this one. */
  readonly races: readonly number[];
}

/** A schedule, step by step, and how it ended. */
export interface Recording {
  readonly threads: readonly string[];
  readonly steps: readonly RecordedStep[];
  readonly error: Error | null;
}

/** A recorded schedule that the program can't follow any more: the model was changed since. */
export class Diverged extends Error {
  override readonly name = 'Diverged';
  constructor(
    /** Number of the step, from 0. */
    readonly at: number,
    readonly expected: string,
    readonly found: string,
  ) {
    super(
      `the schedule diverged at step ${at}: expected ${expected}, found ${found}; the model has changed since it was recorded`,
    );
  }
}

/** Runs one schedule, in a fresh world. @param expected what each step must be, where that is known @throws Diverged */
export function record(program: Program, choices: readonly number[], expected?: readonly string[]): Recording {
  const run = new Execution(program, new Numbers(), 'fresh');
  const history = new History(run.names.length);
  const steps: RecordedStep[] = [];
  for (const [at, thread] of choices.entries()) {
    const who = run.names[thread] ?? `thread ${thread}`;
    const pending = run.pending[thread];
    const what = pending ? `${pending.kind} ${pending.label}` : 'nothing more to do';
    const wanted = expected?.[at];
    if (wanted !== undefined && wanted !== what) throw new Diverged(at, `${who}: ${wanted}`, `${who}: ${what}`);
    if ((run.enabled() & (1 << thread)) === 0) {
      const found = run.failure === null ? `${what}, which can't go on` : `an end before it (${run.failure.message})`;
      throw new Diverged(at, `${who}: ${wanted ?? 'a step'}`, `${who}: ${found}`);
    }
    const held = run.held(thread);
    run.step(thread);
    history.push(thread, run.touched);
    steps.push({ thread, what, held, races: [...history.races] });
  }
  if (run.enabled() !== 0) throw new Diverged(choices.length, 'the end', 'threads that go on');
  return { threads: run.names, steps, error: run.finish() };
}

/** Times a thread that could have gone on had to let another run; to leave one that ended, waits or offers to wait is no preemption. */
export function preemptions(program: Program, choices: readonly number[]): number {
  const run = new Execution(program, new Numbers());
  let count = 0;
  for (const [at, thread] of choices.entries()) {
    if (at > 0 && choices[at - 1] !== thread && run.preempts(choices[at - 1])) count++;
    run.step(thread);
  }
  return count;
}
