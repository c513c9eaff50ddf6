import type { Kernel, ObjectGraph } from '@rmap-lab/core';

/** A context as `inspect` shows it. */
export interface ContextInfo {
  readonly id: string;
  /** 0: the address space is gone. */
  readonly mm: number;
  readonly refs: number;
  readonly parent: string | null;
  /** Newest first. */
  readonly children: readonly string[];
  readonly remaps: readonly RemapInfo[];
}

/** One range of remap records. */
export interface RemapInfo {
  readonly first: number;
  readonly end: number;
  readonly deltas: readonly number[];
}

/** What `kernel.inspect()` says, put in order. */
export class Graph {
  readonly contexts: readonly ContextInfo[];
  private readonly edges: ObjectGraph['edges'];

  constructor(kernel: Kernel) {
    const { nodes, edges } = kernel.inspect();
    this.edges = edges;
    const remaps = new Map(
      nodes.flatMap(({ id, type, fields }) =>
        type === 'remap'
          ? [[id, { first: Number(fields.first), end: Number(fields.end), deltas: String(fields.deltas).split(' ').map(Number) }]]
          : [],
      ),
    );
    this.contexts = nodes
      .filter(({ type }) => type === 'cow_context')
      .map(({ id, fields }) => ({
        id,
        mm: Number(fields.mm),
        refs: Number(fields.refs),
        parent: this.follow(id, 'parent')[0] ?? null,
        children: this.follow(id, 'child'),
        remaps: this.follow(id, 'remap').map((remap) => remaps.get(remap) as RemapInfo),
      }));
  }

  byId(id: string): ContextInfo {
    const found = this.contexts.find((context) => context.id === id);
    if (found === undefined) throw new RangeError(`${id} is named by an edge and not allocated`);
    return found;
  }

  /** The context that a folio's anchor names. */
  ofAnchor(anchor: number): ContextInfo {
    return this.byId(`cow_context:${anchor}`);
  }

  ofMm(mm: number): ContextInfo {
    return this.byId(this.follow(`mm:${mm}`, 'context')[0]);
  }

  /** The context and those above it, lowest first. @throws RangeError when they go round in a circle */
  lineage(context: ContextInfo): ContextInfo[] {
    const line = [context];
    for (let at = context; at.parent !== null; line.push(at)) {
      at = this.byId(at.parent);
      if (line.includes(at)) throw new RangeError(`${at.id} is an ancestor of itself`);
    }
    return line;
  }

  private follow(id: string, label: string): string[] {
    return this.edges.filter((edge) => edge.from === id && edge.label === label).map(({ to }) => to);
  }
}
