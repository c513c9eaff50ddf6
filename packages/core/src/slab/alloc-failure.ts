import { NoMemory } from '../errors.js';
import { COUNTERS } from '../sync/counters.js';

/** Makes the n-th allocation of a machine fail, and perhaps some that follow, to show that running out of memory at any point is survived. */
export class AllocFailure {
  static readonly [COUNTERS] = ['count'];
  /** Allocations asked for so far. */
  count = 0;
  /** How many fail, one after the other: what is asked for with less urgency first is asked for again. */
  times = 1;
  /** @param failAt number of the first allocation that fails, from 1; 0: none. */
  constructor(public failAt: number) {}

  /** Counts an allocation at `site`. @throws NoMemory when it is the one to fail. */
  check(site: string): void {
    if (this.fails()) throw new NoMemory(site);
  }

  /** The same for an allocation that has something smaller to fall back on. */
  fails(): boolean {
    const beyond = ++this.count - this.failAt;
    return this.failAt !== 0 && beyond >= 0 && beyond < this.times;
  }
}
