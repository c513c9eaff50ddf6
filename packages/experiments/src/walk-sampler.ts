import type { Folio, Kernel } from '@rmap-lab/core';
import { type Distribution, distribution } from './distribution.js';

/** Costs of the sampled walks of one kind of folio. */
export interface WalkCosts {
  readonly sampled: number;
  /** VMAs offered by the strategy. */
  readonly candidates: Distribution;
  /** Tree nodes looked at. */
  readonly nodes: Distribution;
  readonly passes: Distribution;
  /** Entries found. */
  readonly mappings: Distribution;
}

/** The columns of {@link WalkCosts}, walk by walk. */
class Columns {
  private readonly candidates: number[] = [];
  private readonly nodes: number[] = [];
  private readonly passes: number[] = [];
  private readonly mappings: number[] = [];

  add(candidates: number, nodes: number, passes: number, mappings: number): void {
    this.candidates.push(candidates);
    this.nodes.push(nodes);
    this.passes.push(passes);
    this.mappings.push(mappings);
  }

  costs(): WalkCosts {
    return {
      sampled: this.candidates.length,
      candidates: distribution(this.candidates),
      nodes: distribution(this.nodes),
      passes: distribution(this.passes),
      mappings: distribution(this.mappings),
    };
  }
}

/** Walks folios chosen by a seed, uncounted, and keeps what each walk cost: exclusive folios apart from shared ones. */
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
    const nodes = this.nodes();
    const { found, candidates, passes } = this.kernel.walk(folio);
    const columns = found.length > 1 ? this.shared : this.exclusive;
    columns.add(candidates, this.nodes() - nodes, passes, found.length);
  }

  private nodes(): number {
    return this.kernel.stats().counts['tree-node'] ?? 0;
  }

  /** A linear congruential generator: the same folios are walked for the same seed. */
  private random(n: number): number {
    this.state = (Math.imul(this.state, 1664525) + 1013904223) >>> 0;
    return Math.floor((this.state / 2 ** 32) * n);
  }
}
