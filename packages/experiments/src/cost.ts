import type { Kernel, KernelStats } from '@rmap-lab/core';

/** What operations of one kind cost in primitives, summed over all of them. */
export interface Cost {
  operations: number;
  /** Slab objects allocated for the design and for core, by cache. */
  allocations: Record<string, number>;
  /** Locks taken, by class. */
  locks: Record<string, number>;
  /** What core and strategy count: tree nodes, candidates, rewritten folios, ... */
  primitives: Record<string, number>;
}

/** Nothing yet. */
export const noCost = (): Cost => ({ operations: 0, allocations: {}, locks: {}, primitives: {} });

/** Adds what was counted between two looks at `kernel` to `cost`. */
export class CostMeter {
  private before: KernelStats | null = null;

  constructor(
    private readonly kernel: Kernel,
    private readonly cost: Cost,
  ) {}

  start(): void {
    this.before = this.kernel.stats();
  }

  stop(): void {
    if (this.before === null) return;
    const [before, after] = [this.before, this.kernel.stats()];
    this.before = null;
    this.cost.operations++;
    for (const [name, { allocated }] of Object.entries(after.slab))
      add(this.cost.allocations, name, allocated - (before.slab[name]?.allocated ?? 0));
    for (const [name, { reads, writes }] of Object.entries(after.locks)) {
      const was = before.locks[name];
      add(this.cost.locks, name, reads + writes - (was === undefined ? 0 : was.reads + was.writes));
    }
    for (const [name, n] of Object.entries(after.counts)) add(this.cost.primitives, name, n - (before.counts[name] ?? 0));
  }
}

function add(sums: Record<string, number>, name: string, n: number): void {
  if (n !== 0) sums[name] = (sums[name] ?? 0) + n;
}
