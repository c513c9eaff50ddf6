import { NoMemory } from '../errors.js';
import { COUNTERS } from '../sync/counters.js';

/** Makes the n-th allocation of a machine fail, and perhaps some that follow, to show that running out of memory at any point is survived. */
export class AllocFailure {
  static readonly [COUNTERS] = ['count'];
  /** Allocations asked for so far. */
  count = 0;
  /** How many are left to fail, once as many as {@link before} did not. They are no counters: it is others who make an allocation the one to fail. */
  private left = 0;
  private before = 0;

  /** @param n number of the first allocation that fails, from 1; 0: none. */
  constructor(n: number) {
    this.plan(n, 1);
  }

  /** The n-th allocation from now on fails, and so do those that follow, `times` in all: what is asked for with less urgency first is asked for again. 0: none. */
  plan(n: number, times: number): void {
    this.left = n === 0 ? 0 : times;
    this.before = n - 1;
  }

  /** Counts an allocation at `site`. @throws NoMemory when it is the one to fail. */
  check(site: string): void {
    if (this.fails()) throw new NoMemory(site);
  }

  /** The same for an allocation that has something smaller to fall back on. */
  fails(): boolean {
    this.count++;
    if (this.left === 0) return false;
    if (this.before > 0) {
      this.before--;
      return false;
    }
    this.left--;
    return true;
  }
}
