import type { Kernel, ObjectGraph } from '@rmap-lab/core';

/** An anon_vma as `inspect` shows it. */
interface AnonVmaInfo {
  readonly id: string;
  readonly refcount: number;
  readonly numChildren: number;
  readonly numActiveVmas: number;
  readonly root: string;
  readonly parent: string;
  /** How many links its tree holds. */
  readonly links: number;
}

/** A link between a VMA and an anon_vma. */
interface LinkInfo {
  readonly id: string;
  readonly vma: number;
  readonly first: number;
  readonly last: number;
}

/** What `kernel.inspect()` says, put in order. */
export class Graph {
  readonly anonVmas: readonly AnonVmaInfo[];
  readonly links: readonly LinkInfo[];
  private readonly targets = new Map<string, string[]>();

  constructor(kernel: Kernel) {
    const { nodes, edges } = kernel.inspect();
    const vmaOf = new Map<string, number>();
    const treeSize = new Map<string, number>();
    for (const { from, to, label } of edges) {
      const key = `${from} ${label}`;
      this.targets.set(key, [...(this.targets.get(key) ?? []), to]);
      if (label === 'chain') vmaOf.set(to, Number(from.slice('vma:'.length)));
      if (label === 'anon_vma' && from.startsWith('anon_vma_chain:')) treeSize.set(to, (treeSize.get(to) ?? 0) + 1);
    }
    const ofType = (type: string): ObjectGraph['nodes'] => nodes.filter((node) => node.type === type);
    this.anonVmas = ofType('anon_vma').map(({ id, fields }) => ({
      id,
      refcount: Number(fields.refcount),
      numChildren: Number(fields.numChildren),
      numActiveVmas: Number(fields.numActiveVmas),
      root: this.follow(id, 'root')[0],
      parent: this.follow(id, 'parent')[0],
      links: treeSize.get(id) ?? 0,
    }));
    this.links = ofType('anon_vma_chain').map(({ id, fields }) => ({
      id,
      vma: vmaOf.get(id) ?? Number.NaN,
      first: Number(fields.first),
      last: Number(fields.last),
    }));
  }

  byId(id: string): AnonVmaInfo {
    const found = this.anonVmas.find((anonVma) => anonVma.id === id);
    if (found === undefined) throw new RangeError(`${id} is named by an edge and not allocated`);
    return found;
  }

  /** The anon_vma that takes the VMA's new pages, or undefined. */
  active(vma: number): string | undefined {
    return this.follow(`vma:${vma}`, 'anon_vma')[0];
  }

  /** The anon_vmas that the VMA is linked to, newest link first. */
  chain(vma: number): string[] {
    return this.follow(`vma:${vma}`, 'chain').flatMap((link) => this.follow(link, 'anon_vma'));
  }

  private follow(id: string, label: string): readonly string[] {
    return this.targets.get(`${id} ${label}`) ?? [];
  }
}
