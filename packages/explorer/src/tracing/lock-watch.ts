import type { Task, Watch } from '@rmap-lab/core';
import type { Tracing } from './tracing.js';

/** Tells tracing of locks, and another watch of everything. */
export class LockWatch implements Watch {
  constructor(
    private readonly tracing: Tracing,
    private readonly next: Watch | null,
  ) {}

  acquired(task: Task, lockClass: string, lock: object, key: number, write: boolean, tried: boolean): void {
    this.tracing.acquired(lock, key, write, tried);
    this.next?.acquired(task, lockClass, lock, key, write, tried);
  }

  released(task: Task, lock: object, key: number, write: boolean): void {
    this.tracing.released(lock, key, write);
    this.next?.released(task, lock, key, write);
  }

  readEnded(task: Task, rcu: object): void {
    this.next?.readEnded(task, rcu);
  }

  graceEnded(task: Task, rcu: object): void {
    this.next?.graceEnded(task, rcu);
  }

  accessed(task: Task, cache: object, place: number, write: boolean, object: object, field: string): void {
    this.next?.accessed(task, cache, place, write, object, field);
  }

  marked(task: Task, object: object, field: PropertyKey, write: boolean): void {
    this.next?.marked(task, object, field, write);
  }

  freed(task: Task, cache: object, place: number, object: object, fields: readonly string[]): void {
    this.next?.freed(task, cache, place, object, fields);
  }
}
