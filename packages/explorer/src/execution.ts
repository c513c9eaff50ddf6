import { Deadlock, messageOf, type Op, type Step } from '@rmap-lab/core';
import { modeOf } from './access.js';
import type { Access } from './accesses.js';
import { Hash } from './hash.js';
import type { Numbers } from './numbers.js';
import { type End, type Program, Unrepeatable, Untraceable, type World } from './program.js';
import type { Tracing } from './tracing/tracing.js';

/** Steps that one schedule may have before it counts as one that never ends. */
export const MAX_STEPS = 5000;

/** null is no failure, and may be thrown. */
const asError = (thrown: unknown): Error => (thrown instanceof Error ? thrown : new Error(messageOf(thrown)));

/** Threads are bits of a word. */
const MAX_THREADS = 32;

const hash = new Hash();
const NOTHING: readonly number[] = [];

/** A schedule that doesn't end: threads that spin. */
export class Endless extends Error {
  override readonly name = 'Endless';
  /** The rule that a failure names. */
  readonly rule = 'progress';
}

/** One run of a program, step by step. */
export class Execution {
  readonly names: readonly string[];
  /** What each thread does next; null: it has ended. */
  readonly pending: (Step | null)[];
  /** What the last step touched, as accesses. */
  touched: readonly number[] = NOTHING;
  /** What went wrong, first. */
  failure: Error | null = null;
  steps = 0;
  /** By thread: the hash of all that it has read, where that is traced. */
  readonly read: number[];
  private readonly world: World;
  private readonly tracing: Tracing | undefined;
  private readonly ops: Op<unknown>[];
  private readonly ends: (End | null)[];
  private running = -1;
  private live: number;

  /**
   * @param numbers null: nobody will ask what steps touch, so nobody need find out
   * @throws RangeError when the program has too many threads
   */
  constructor(
    program: Program,
    private readonly numbers: Numbers | null,
    how?: 'fresh' | 'traced',
  ) {
    numbers?.restart();
    this.world = program(how);
    this.tracing = this.world.tracing;
    this.names = Object.keys(this.world.threads);
    this.ops = Object.values(this.world.threads);
    this.live = this.ops.length;
    if (this.live > MAX_THREADS)
      throw new RangeError(`the program has ${this.live} threads, and at most ${MAX_THREADS} can be explored; leave some out`);
    this.pending = [];
    this.ends = [];
    this.read = [];
    for (let thread = 0; thread < this.ops.length; thread++) {
      this.pending.push(null);
      this.ends.push(null);
      this.read.push(0);
    }
    for (let thread = 0; thread < this.ops.length; thread++) {
      this.tracing?.pass(thread);
      this.schedule(thread);
      this.advance(thread);
    }
  }

  /** Whether the program tells what its threads read, and its state. */
  get traced(): boolean {
    return this.tracing !== undefined && this.world.fingerprint !== undefined;
  }

  /** To be called when a traced run is over, however it ended: where the number is another than before, what was found by then is void. @throws Untraceable */
  retrace(): number {
    return this.tracing?.finish() ?? 0;
  }

  /** The threads that can go on, as bits. */
  enabled(): number {
    let mask = 0;
    if (this.failure !== null) return 0;
    for (let thread = 0; thread < this.pending.length; thread++) {
      const step = this.pending[thread];
      if (step !== null && (step.enabled === undefined || step.enabled())) mask |= 1 << thread;
    }
    return mask;
  }

  /** Whether `thread` offers to wait. */
  offers(thread: number): boolean {
    return this.pending[thread]?.offers === true;
  }

  /** Whether it is a preemption to let another thread go on instead of `thread`: it could go on, and does not offer to wait. */
  preempts(thread: number): boolean {
    const step = this.pending[thread];
    return step !== null && !this.offers(thread) && (step.enabled === undefined || step.enabled());
  }

  /** The access that `thread` has announced. */
  announced(thread: number): number {
    const step = this.pending[thread] as Step;
    return (this.numbers as Numbers).of(step) * 8 + modeOf(step);
  }

  /** What `thread` waits for: what it looked at to find that it can't go on. */
  awaited(thread: number): readonly number[] {
    const { tracing } = this;
    if (tracing === undefined) return [this.announced(thread)];
    tracing.begin(thread, 0);
    const step = this.pending[thread] as Step;
    step.enabled?.();
    tracing.announced(step);
    tracing.end();
    return tracing.touched;
  }

  /** Lets `thread` make its announced step; `touched` says what that was about. */
  step(thread: number): void {
    const { tracing } = this;
    if (tracing === undefined) {
      if (this.numbers !== null) this.touched = [this.announced(thread)];
      this.take(thread);
      return;
    }
    this.schedule(thread);
    tracing.begin(thread, this.read[thread]);
    // That it could go on is known to it, too.
    this.pending[thread]?.enabled?.();
    tracing.announced(this.pending[thread] as Step);
    this.take(thread);
    this.touched = tracing.touched;
  }

  /** What `thread` does next, in short. */
  label(thread: number): string {
    return this.pending[thread]?.label ?? '';
  }

  /** A step is about to be made again that was made in an earlier schedule with the same beginning. @throws Unrepeatable where it is another */
  expect(thread: number, label: string): void {
    const step = this.pending[thread];
    if (step !== null && step.label === label && step.enabled?.() !== false) return;
    throw new Unrepeatable(
      `${this.names[thread]} did '${label}' in one schedule, and ${step === null ? 'nothing' : `'${step.label}'`} in another that began in the same way`,
    );
  }

  /** Makes such a step. @param read its hash by then @throws Unrepeatable */
  again(thread: number, label: string, read: number): void {
    this.expect(thread, label);
    this.tracing?.pass(thread);
    this.take(thread);
    this.read[thread] = read;
  }

  /** The state of everything, threads included, as a number. */
  state(): number {
    const { world, read } = this;
    hash.restart(world.fingerprint?.());
    for (let thread = 0; thread < read.length; thread++) hash.number(read[thread]);
    return hash.value;
  }

  private take(thread: number): void {
    this.schedule(thread);
    if (++this.steps > MAX_STEPS) this.failure = new Endless(`more than ${MAX_STEPS} steps: some thread waits by looking again`);
    else {
      const step = this.pending[thread] as Step;
      this.advance(thread);
      if (this.tracing !== undefined) this.read[thread] = this.tracing.end();
      if (this.failure === null) this.look(step);
    }
  }

  /** Accesses to fields since this was last called, in order; none of a world that doesn't tell. @internal */
  accessed(): readonly Access[] {
    return this.world.accessed?.() ?? [];
  }

  /** What `thread` holds, oldest first. */
  held(thread: number): readonly string[] {
    return this.world.held?.(thread) ?? [];
  }

  /** Call when nobody can go on: looks for a deadlock, or lets the world check itself. */
  finish(): Error | null {
    if (this.failure !== null) return this.failure;
    if (this.live > 0) {
      const waits = this.names.flatMap((name, i) => {
        const step = this.pending[i];
        return step === null ? [] : [`${name} waits for ${step.label}`];
      });
      this.failure = new Deadlock(waits.join('; '));
    } else {
      const ends: Record<string, End> = {};
      for (let i = 0; i < this.names.length; i++) ends[this.names[i]] = this.ends[i] as End;
      try {
        this.world.settle?.(ends);
      } catch (error) {
        this.failure = asError(error);
      }
    }
    return this.failure;
  }

  /** Lets the world look at what a step did. */
  private look(step: Step): void {
    try {
      this.world.stepped?.(step);
    } catch (error) {
      this.failure = asError(error);
    }
  }

  private schedule(thread: number): void {
    if (this.running === thread) return;
    this.running = thread;
    this.world.schedule?.(thread);
  }

  private advance(thread: number): void {
    try {
      const turn = this.ops[thread].next();
      if (!turn.done) {
        this.pending[thread] = turn.value;
        this.numbers?.of(turn.value);
        return;
      }
      this.ends[thread] = { value: turn.value };
    } catch (thrown) {
      if (thrown instanceof Untraceable) throw thrown;
      const error = asError(thrown);
      if (this.world.answers?.(error)) this.ends[thread] = { error };
      else this.failure = error;
    }
    this.pending[thread] = null;
    this.live--;
  }
}
