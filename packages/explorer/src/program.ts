import { InputError, type Op, type Step } from '@rmap-lab/core';
import type { Access } from './accesses.js';
import type { LockEdges } from './lock-edges.js';
import type { Tracing } from './tracing/tracing.js';

/** How one thread ended: its result, or the error that the model answered. */
export type End = { readonly value: unknown } | { readonly error: Error };

/** A program that can't say what its threads read and store, asked by an engine that must know. */
export class Untraceable extends InputError {
  override readonly name = 'Untraceable';
}

/** A program that does not do the same each time it does the same steps, so that nothing can be said of all its schedules. */
export class Unrepeatable extends InputError {
  override readonly name = 'Unrepeatable';
  constructor(what: string) {
    super(
      `${what}: its threads share what can't be reached by fields (closures, #private fields, variables of a module), or delete or define fields; keep it in fields that are there from the start, or let a strategy say state: 'free'`,
    );
  }
}

/** One fresh world with threads ready to run. */
export interface World {
  /** Concurrent operations by name, 32 at most; not started yet. Code before the first step runs in this order, before anybody's first step. */
  readonly threads: Readonly<Record<string, Op<unknown>>>;
  /** Told who runs next, whenever that changes. */
  schedule?(thread: number): void;
  /** Told after every step, with the step. @throws what is wrong by then */
  stepped?(step: Step): void;
  /** What a thread holds, oldest first, for people. */
  held?(thread: number): readonly string[];
  /** Accesses to fields since it was last called, in order: of a fresh world, beside what steps announce. @internal */
  accessed?(): readonly Access[];
  /** Tells all that steps touch. Absent: what they announce is all. @internal */
  readonly tracing?: Tracing;
  /** The state of everything but the threads' own variables, as a number. */
  fingerprint?(): number;
  /** Whether an error is an answer of the model, which ends its thread, rather than a failure. Default: none is. */
  answers?(error: Error): boolean;
  /** Called when every thread has ended. @throws what is wrong */
  settle?(ends: Readonly<Record<string, End>>): void;
}

/**
 * Makes the same world each time: explorers re-execute it for every schedule. A world is good until the next one is made, so that a
 * program may put its only one back to the start.
 */
export interface Program {
  /** @param how `fresh`: from nothing; `traced`: one that tells all that steps touch, if it can. @throws Untraceable */
  (how?: 'fresh' | 'traced'): World;
  /** Called when a search is over. @throws Unrestorable where not all of its schedules began with the same world @internal */
  over?(): void;
  /** In what order its schedules took locks, all of them together. @internal */
  readonly edges?: LockEdges;
  /** The operations it is made of, if it can do without any of them: how many, numbered from 0. */
  readonly operations?: number;
  /** The program without some of them. */
  without?(dropped: ReadonlySet<number>): Program;
}

/** The same program, with `notice` called before each world is made. */
export function noticed(program: Program, notice: () => void): Program {
  const { edges, over, operations, without } = program;
  const run: Program = Object.assign(
    (how?: 'fresh' | 'traced') => {
      notice();
      return program(how);
    },
    edges && { edges },
    over && { over },
  );
  if (operations === undefined || without === undefined) return run;
  return Object.assign(run, { operations, without: (dropped: ReadonlySet<number>) => noticed(without(dropped), notice) });
}
