import type { Task } from './task.js';

/** Looks on while a machine runs: what tasks lock, and what they touch. Made for checkers; costs a comparison while absent. */
export interface Watch {
  /** A lock was taken. @param key which lock, where one object stands for several @param tried it would not have waited */
  acquired(task: Task, lockClass: string, lock: object, key: number, write: boolean, tried: boolean): void;
  /** A lock was given up. */
  released(task: Task, lock: object, key: number, write: boolean): void;
  /** The outermost RCU read section of a task has ended. */
  readEnded(task: Task, rcu: object): void;
  /** A grace period that a task asked for is over, though the task may go on later: what read sections did that have ended comes before what it does then. */
  graceEnded(task: Task, rcu: object): void;
  /** A plain access to a field of a slab object, in checked mode, of a type-safe one outside RCU sections only; or a strategy's look at the VMAs of an address space. @param cache whose object it is @param place number of the field of that object among those of the cache */
  accessed(task: Task, cache: object, place: number, write: boolean, object: object, field: string): void;
  /** A marked access (READ_ONCE, WRITE_ONCE, an atomic): these may race; who loads comes after who stored. */
  marked(task: Task, object: object, field: PropertyKey, write: boolean): void;
  /** Such an object was freed at once, without a grace period; its memory may be handed on. @param place of its first field */
  freed(task: Task, cache: object, place: number, object: object, fields: readonly string[]): void;
}
