import type { Kernel, RmapStrategy } from '@rmap-lab/core';

/** A strategy under test. */
export interface Subject {
  /** Makes it anew. */
  readonly strategy: () => RmapStrategy;
  /** Makes what looks at one machine between operations, after each: the first of the strategy's invariants that does not hold, or null. */
  readonly audit: () => (kernel: Kernel) => string | null;
}
