import type { Folio, Kernel, WalkResult } from '@rmap-lab/core';
import { CostMeter, noCost } from './cost.js';
import { type Distribution, distribution } from './distribution.js';
import { Draw } from './draw.js';

/** Costs of the sampled walks of one kind of folio. */
export interface WalkCosts {
  readonly sampled: number;
  /** VMAs offered by the strategy. */
  readonly candidates: Distribution;
  /** Those of them up to the last entry found: what a walk looks at that stops there, as Linux's walks for reclaim do under any design. */
  readonly needed: Distribution;
  /** Nodes of the strategy's own trees looked at: of intervals, or the contexts of address spaces. */
  readonly nodes: Distribution;
  /** Look-ups in mm_mt and in records of moved memory, in designs that go by address space. */
  readonly lookups: Distribution;
  /** Locks taken, page-table locks included. */
  readonly locks: Distribution;
  readonly passes: Distribution;
  /** Entries found. */
  readonly mappings: Distribution;
}

/** The columns of {@link WalkCosts}, walk by walk. */
class Columns {
  private readonly candidates: number[] = [];
  private readonly needed: number[] = [];
  private readonly nodes: number[] = [];
  private readonly lookups: number[] = [];
  private readonly locks: number[] = [];
  private readonly passes: number[] = [];
  private readonly mappings: number[] = [];

  add({ candidates, needed, passes, found }: WalkResult, nodes: number, lookups: number, locks: number): void {
    this.candidates.push(candidates);
    this.needed.push(needed);
    this.nodes.push(nodes);
    this.lookups.push(lookups);
    this.locks.push(locks);
    this.passes.push(passes);
    this.mappings.push(found.length);
  }

  costs(): WalkCosts {
    return {
      sampled: this.candidates.length,
      candidates: distribution(this.candidates),
      needed: distribution(this.needed),
      nodes: distribution(this.nodes),
      lookups: distribution(this.lookups),
      locks: distribution(this.locks),
      passes: distribution(this.passes),
      mappings: distribution(this.mappings),
    };
  }
}

/** Walks folios chosen by a seed, uncounted, and keeps what each walk cost: folios of one address space apart from those of several. */
export class WalkSampler {
  private readonly exclusive = new Columns();
  private readonly shared = new Columns();

  private readonly draw: Draw;

  constructor(
    private readonly kernel: Kernel,
    seed: number,
  ) {
    this.draw = new Draw(seed);
  }

  /** Walks `count` folios, or as many as there are. */
  sample(count: number): void {
    this.kernel.uncounted(() => {
      for (const folio of this.draw.some(this.kernel.folios(), count)) this.walk(folio);
    });
  }

  costs(): { readonly exclusive: WalkCosts; readonly shared: WalkCosts } {
    return { exclusive: this.exclusive.costs(), shared: this.shared.costs() };
  }

  private walk(folio: Folio): void {
    const cost = noCost();
    const meter = new CostMeter(this.kernel, cost);
    meter.start();
    const walked = this.kernel.walk(folio);
    meter.stop();
    const counted = (...names: string[]): number => names.reduce((sum, name) => sum + (cost.primitives[name] ?? 0), 0);
    const locks = Object.values(cost.locks).reduce((sum, n) => sum + n, 0);
    // A large folio may have hundreds of entries in one address space.
    const shared = new Set(walked.found.map(({ process }) => process)).size > 1;
    (shared ? this.shared : this.exclusive).add(
      walked,
      counted('tree-node', 'context'),
      counted('vma-lookup', 'record-lookup'),
      locks,
    );
  }
}
