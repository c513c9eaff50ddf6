import type { Folio, Kernel, WalkResult } from '@rmap-lab/core';
import { type Distribution, distribution } from './distribution.js';

/** Costs of the sampled walks of one kind of folio. */
export interface WalkCosts {
  readonly sampled: number;
  /** VMAs offered by the strategy. */
  readonly candidates: Distribution;
  /** Those of them up to the last entry found: what a walk looks at that stops there, as Linux's walks for reclaim do under any design. */
  readonly needed: Distribution;
  /** Nodes of the strategy's own trees looked at. */
  readonly nodes: Distribution;
  /** Look-ups in mm_mt, and contexts visited, in designs that go by address space. */
  readonly lookups: Distribution;
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
  private readonly passes: number[] = [];
  private readonly mappings: number[] = [];

  add({ candidates, needed, passes, found }: WalkResult, nodes: number, lookups: number): void {
    this.candidates.push(candidates);
    this.needed.push(needed);
    this.nodes.push(nodes);
    this.lookups.push(lookups);
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
      passes: distribution(this.passes),
      mappings: distribution(this.mappings),
    };
  }
}

/** Walks folios chosen by a seed, uncounted, and keeps what each walk cost: folios of one address space apart from those of several. */
export class WalkSampler {
  private readonly exclusive = new Columns();
  private readonly shared = new Columns();

  constructor(
    private readonly kernel: Kernel,
    private state: number,
  ) {}

  /** Walks `count` folios, or as many as there are. */
  sample(count: number): void {
    const folios = [...this.kernel.folios()];
    this.kernel.uncounted(() => {
      for (let i = 0; i < Math.min(count, folios.length); i++) this.walk(folios[this.random(folios.length)]);
    });
  }

  costs(): { readonly exclusive: WalkCosts; readonly shared: WalkCosts } {
    return { exclusive: this.exclusive.costs(), shared: this.shared.costs() };
  }

  private walk(folio: Folio): void {
    const before = this.kernel.stats().counts;
    const walked = this.kernel.walk(folio);
    const after = this.kernel.stats().counts;
    const counted = (...names: string[]): number =>
      names.reduce((sum, name) => sum + (after[name] ?? 0) - (before[name] ?? 0), 0);
    // A large folio may have hundreds of entries in one address space.
    const shared = new Set(walked.found.map(({ process }) => process)).size > 1;
    (shared ? this.shared : this.exclusive).add(walked, counted('tree-node'), counted('vma-lookup', 'context'));
  }

  /** A linear congruential generator: the same folios are walked for the same seed. */
  private random(n: number): number {
    this.state = (Math.imul(this.state, 1664525) + 1013904223) >>> 0;
    return Math.floor((this.state / 2 ** 32) * n);
  }
}
