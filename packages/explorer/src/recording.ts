import { InputError, messageOf } from '@rmap-lab/core';
import { LOAD, STORE } from './access.js';
import type { Access } from './accesses.js';
import { Execution } from './execution.js';
import { History } from './history.js';
import { Numbers } from './numbers.js';
import { type Program, Unrepeatable } from './program.js';
import { DataRace } from './races.js';
import type { FailingSchedule } from './search.js';

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
  /** The same of what they access without announcing it: fields. */
  readonly fieldRaces: readonly number[];
}

/** A schedule, step by step, and how it ended. */
export interface Recording {
  readonly threads: readonly string[];
  readonly steps: readonly RecordedStep[];
  readonly error: Error | null;
  /** Of a data race: the two steps that access the field, by number. */
  readonly racing: readonly [number, number] | null;
}

/** A recorded schedule that the program can't follow any more: the model was changed since. */
export class Diverged extends InputError {
  override readonly name = 'Diverged';
  constructor(
    /** Number of the step, from 0. */
    readonly at: number,
    readonly expected: string,
    readonly found: string,
    why = 'the model has changed since it was recorded',
  ) {
    super(`the schedule diverged at step ${at}: expected ${expected}, found ${found}; ${why}`);
  }
}

/** Runs a schedule that failed again, in a fresh world. @throws Unrepeatable when it does not fail there */
export function recordFailure(program: Program, { choices, error }: FailingSchedule): Recording {
  try {
    const recording = record(program, choices);
    if (recording.error !== null) return recording;
  } catch (diverged) {
    if (!(diverged instanceof Diverged)) throw diverged;
  }
  throw new Unrepeatable(`a schedule fails (${messageOf(error)}), but not with a world that is made anew`);
}

/** Runs one schedule, in a fresh world. @param expected what each step must be, where that is known @throws Diverged */
export function record(program: Program, choices: readonly number[], expected?: readonly string[]): Recording {
  const run = new Execution(program, new Numbers(), 'fresh');
  const history = new History(run.names.length);
  const fields = new Fields(run.names.length);
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
    run.accessed();
    run.step(thread);
    history.push(thread, run.touched);
    const fieldRaces = fields.push(thread, run.accessed());
    steps.push({ thread, what, held, races: [...history.races], fieldRaces: [...fieldRaces] });
  }
  if (run.enabled() !== 0) throw new Diverged(choices.length, 'the end', 'threads that go on');
  const error = run.finish();
  return { threads: run.names, steps, error, racing: error instanceof DataRace ? fields.racing(error.other - 1) : null };
}

/** What steps access beside what they announce. */
class Fields {
  private readonly history: History;
  private readonly made: { readonly thread: number; readonly accesses: readonly Access[] }[] = [];
  private readonly numbers = new Map<object, Map<PropertyKey, number>>();
  private places = 0;

  constructor(threads: number) {
    this.history = new History(threads);
  }

  /** Adds a step; the earlier ones that could have come after it. */
  push(thread: number, accesses: readonly Access[]): readonly number[] {
    this.made.push({ thread, accesses });
    this.history.push(thread, [...new Set(accesses.map((access) => this.numberOf(access) * 8 + (access.write ? STORE : LOAD)))]);
    return this.history.races;
  }

  /** The last step of thread `other` that accesses the field of the very last access, and the last step. */
  racing(other: number): readonly [number, number] | null {
    const last = this.made.length - 1;
    const { accesses } = this.made[last];
    const race = accesses.at(-1);
    if (race === undefined) return null;
    const first = this.made.findLastIndex(
      (step) =>
        step.thread === other &&
        step.accesses.some(({ object, field, write }) => object === race.object && field === race.field && (write || race.write)),
    );
    return first < 0 ? null : [first, last];
  }

  private numberOf({ object, field }: Access): number {
    let byField = this.numbers.get(object);
    if (byField === undefined) {
      byField = new Map();
      this.numbers.set(object, byField);
    }
    let number = byField.get(field);
    if (number === undefined) {
      number = this.places++;
      byField.set(field, number);
    }
    return number;
  }
}

/** Times a thread that could have gone on had to let another run; to leave one that ended, waits or offers to wait is no preemption. @throws Unrepeatable */
export function preemptions(program: Program, choices: readonly number[]): number {
  const run = new Execution(program, new Numbers());
  let count = 0;
  for (const [at, thread] of choices.entries()) {
    if (at > 0 && choices[at - 1] !== thread && run.preempts(choices[at - 1])) count++;
    if ((run.enabled() & (1 << thread)) === 0) throw new Unrepeatable('a schedule that was run can not be run again');
    run.step(thread);
  }
  return count;
}
