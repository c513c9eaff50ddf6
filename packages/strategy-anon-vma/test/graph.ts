import type { Kernel, ObjectGraph } from '@rmap-lab/core';

/** An anon_vma as `inspect` shows it. */
export interface AnonVmaInfo {
  readonly id: string;
  readonly refcount: number;
  readonly numChildren: number;
  readonly numActiveVmas: number;
  readonly root: string;
  readonly parent: string;
  /** Ids of the links in its tree. */
  readonly links: readonly string[];
}

/** What `kernel.inspect()` says, by VMA and by anon_vma. */
export class Graph {
  readonly anonVmas: readonly AnonVmaInfo[];
  readonly chains: readonly string[];
  private readonly edges: ObjectGraph['edges'];

  constructor(kernel: Kernel) {
    const { nodes, edges } = kernel.inspect();
    this.edges = edges;
    this.chains = nodes.filter(({ type }) => type === 'anon_vma_chain').map(({ id }) => id);
    this.anonVmas = nodes
      .filter(({ type }) => type === 'anon_vma')
      .map(({ id, fields }) => ({
        id,
        refcount: Number(fields.refcount),
        numChildren: Number(fields.numChildren),
        numActiveVmas: Number(fields.numActiveVmas),
        root: this.from(id, 'root')[0],
        parent: this.from(id, 'parent')[0],
        links: this.edges
          .filter(({ to, label, from }) => to === id && label === 'anon_vma' && !from.startsWith('vma:'))
          .map(({ from }) => from),
      }));
  }

  /** The anon_vma that takes the VMA's new pages, or undefined. */
  active(vma: number): string | undefined {
    return this.from(`vma:${vma}`, 'anon_vma')[0];
  }

  /** The anon_vmas that the VMA is linked to, newest link first. */
  chain(vma: number): string[] {
    return this.from(`vma:${vma}`, 'chain').map((link) => this.from(link, 'anon_vma')[0]);
  }

  private from(id: string, label: string): string[] {
    return this.edges.filter((edge) => edge.from === id && edge.label === label).map(({ to }) => to);
  }
}
