import { SelfDeadlock } from '../errors.js';

/** What a stepping operation is about to do; named before it happens, so that dependence is known before the step runs. */
export interface Step {
  readonly kind: 'lock' | 'try' | 'unlock' | 'load' | 'store' | 'rcu' | 'alloc' | 'free' | 'pte' | 'wait' | 'choice';
  /** What is touched: a lock, a slab object, a page table. Two steps on different objects commute. */
  readonly object: object;
  /** The class of a lock, the name of a field or a cache: for people. */
  readonly label: string;
  /** Which part of `object`, where it has several: a folio of the memory map, a page table. */
  readonly key?: number;
  /** Commutes with the other shared steps on the object: a lock for reading. */
  readonly shared?: boolean;
  /** Whether the step can be taken now: a lock is free, a grace period is over. Absent: always. */
  enabled?(): boolean;
  /** The thread offers the processor here (cond_resched): to let another go first is no preemption. */
  readonly offers?: boolean;
  /** Of a `try`: whether it fails, as things stand. Absent: unknown. */
  fails?(): boolean;
}

/** An operation that may have to wait: for a lock, a grace period, memory. Consume it at once with `yield*`. */
export type Op<T> = Generator<Step, T, void>;
/** An answer at once, or an operation that gives it. */
export type Soon<T> = T | Op<T>;

const FINISHED: IteratorReturnResult<undefined> = { done: true, value: undefined };

/**
 * An operation that is already over, shared by every caller that never waits: `yield*` of it yields nothing and costs no
 * allocation. It holds one result at a time, so it must be consumed before the next one is made.
 */
class Finished<T> {
  result: IteratorReturnResult<T>;
  constructor(value: T) {
    this.result = { done: true, value };
  }
  [Symbol.iterator](): this {
    return this;
  }
  next(): IteratorReturnResult<T> {
    return this.result;
  }
  return(): IteratorReturnResult<undefined> {
    return FINISHED;
  }
  throw(error: unknown): never {
    throw error;
  }
}

/** The finished operation without a result. */
export const READY = new Finished<void>(undefined) as unknown as Op<void>;
const ANSWER = new Finished<unknown>(undefined);

/** A finished operation with result `value`; shared, so consume it at once. */
export function ready<T>(value: T): Op<T> {
  ANSWER.result.value = value;
  return ANSWER as unknown as Op<T>;
}

/** `op`, and then `next` of its result; at once where `op` is over already, which saves a generator. */
export function andThen<T, U>(op: Op<T>, next: (value: T) => U): Op<U> {
  if (op === (ANSWER as unknown)) return ready(next(ANSWER.result.value as T));
  return op === (READY as unknown) ? ready(next(undefined as T)) : andThenLater(op, next);
}

function* andThenLater<T, U>(op: Op<T>, next: (value: T) => U): Op<U> {
  return next(yield* op);
}

/** Whether `soon` is an operation rather than an answer. Answers are never iterators. */
export function isOp<T>(soon: Soon<T>): soon is Op<T> {
  return typeof soon === 'object' && soon !== null && 'next' in soon && typeof soon.next === 'function';
}

/**
 * Runs an operation to its end, alone. @throws SelfDeadlock when it wants to wait: nobody else runs who could end the wait
 */
export function run<T>(op: Op<T>): T {
  // The two that are over need no call, which would be one of as many functions as there are generators.
  if (op === (READY as unknown)) return undefined as T;
  if (op === (ANSWER as unknown)) return ANSWER.result.value as T;
  const result = op.next();
  if (result.done) return result.value;
  throw new SelfDeadlock(result.value.label, `a sequential operation waits for a ${result.value.kind} step`);
}

/** Runs an operation of a stepping machine to its end, alone, step by step. @throws SelfDeadlock when a step can't be taken */
export function runAlone<T>(op: Op<T>): T {
  for (;;) {
    const result = op.next();
    if (result.done) return result.value;
    if (result.value.enabled?.() === false) throw new SelfDeadlock(result.value.label, 'nobody else runs who could end the wait');
  }
}

/** Runs a hook's answer to its end on the spot; for plain functions that call hooks sequentially. */
export function finish(work: Soon<void>): void {
  if (work && work !== READY) run(work);
}
