import type { Task, Watch } from '@rmap-lab/core';

/** An access to a field of a slab object, as far as the order of two of them matters. */
export interface Access {
  readonly object: object;
  readonly field: PropertyKey;
  readonly write: boolean;
}

/** Keeps what is accessed, and tells another watch of everything. */
export class Accesses implements Watch {
  private made: Access[] = [];
  constructor(private readonly next: Watch) {}

  /** What was accessed since this was last called, in order. */
  take(): readonly Access[] {
    const { made } = this;
    this.made = [];
    return made;
  }

  acquired(task: Task, lockClass: string, lock: object, key: number, write: boolean, tried: boolean): void {
    this.next.acquired(task, lockClass, lock, key, write, tried);
  }

  released(task: Task, lock: object, key: number, write: boolean): void {
    this.next.released(task, lock, key, write);
  }

  readEnded(task: Task, rcu: object): void {
    this.next.readEnded(task, rcu);
  }

  graceEnded(task: Task, rcu: object): void {
    this.next.graceEnded(task, rcu);
  }

  accessed(task: Task, cache: object, place: number, write: boolean, object: object, field: string): void {
    this.made.push({ object, field, write });
    this.next.accessed(task, cache, place, write, object, field);
  }

  /** A marked access may be either. */
  marked(task: Task, object: object, field: PropertyKey, write: boolean): void {
    this.made.push({ object, field, write: true });
    this.next.marked(task, object, field, write);
  }

  freed(task: Task, cache: object, place: number, object: object, fields: readonly string[]): void {
    this.next.freed(task, cache, place, object, fields);
  }
}
