import { COUNTERS } from './counters.js';
import type { Watch } from './watch.js';

/** One thread of execution and what it holds; the sequential machine has one, the explorer one a thread. */
export class Task {
  /** Spinlocks held: sleeping is forbidden while above 0. */
  atomic = 0;
  /** RCU read sections open. */
  rcuDepth = 0;
  /** Locks held, of any kind. */
  held = 0;
  constructor(
    readonly id: number,
    readonly name: string,
  ) {}
}

/** Who runs, and how. Locks and caches share one. */
export class Sync {
  /** They say which thread's step is under way, and that it is told to somebody. */
  static readonly [COUNTERS] = ['current', 'watch', 'marking'];
  current = new Task(0, 'main');
  /** A checker that looks on. */
  watch: Watch | null = null;
  /** Whether the access under way is a marked one. */
  marking = false;
  /** @param stepping operations yield a `Step` before whatever others could see; a scheduler decides who goes on. */
  constructor(readonly stepping: boolean) {}
}
