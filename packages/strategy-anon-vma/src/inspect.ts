import type { ObjectGraph } from '@rmap-lab/core';
import type { AnonVma } from './anon-vma.js';
import type { AnonVmaChain } from './anon-vma-chain.js';
import type { State } from './state.js';

/**
 * All anon_vmas and links. An anon_vma's edges are `root` and `parent`; a link's `anon_vma`; those of `vma:<id>` are
 * `anon_vma`, where its new pages go, and `chain`, to its links, newest first.
 */
export function inspect(state: State): ObjectGraph {
  const nodes: ObjectGraph['nodes'][number][] = [];
  const edges: ObjectGraph['edges'][number][] = [];
  const name = ({ ref }: AnonVma): string => `anon_vma:${ref}`;
  const nameLink = (link: AnonVmaChain): string => `anon_vma_chain:${state.chains.ref(link)}`;

  for (const anonVma of state.anonVmas.memory) {
    const { refcount, numChildren, numActiveVmas, root, parent, visited } = anonVma;
    if (refcount === 0) continue;
    nodes.push({ id: name(anonVma), type: 'anon_vma', fields: { refcount, numChildren, numActiveVmas } });
    edges.push(
      { from: name(anonVma), to: name(root), label: 'root' },
      { from: name(anonVma), to: name(parent), label: 'parent' },
    );
    for (let link = anonVma.first(0, Infinity); link !== null; link = anonVma.next(link, 0, Infinity)) {
      const { first, last, vma } = link;
      nodes.push({ id: nameLink(link), type: 'anon_vma_chain', fields: { first, last } });
      edges.push({ from: nameLink(link), to: name(anonVma), label: 'anon_vma' });
      if (link.newer !== null) continue;
      const active = state.vmas.of(vma).anonVma;
      if (active !== null) edges.push({ from: `vma:${vma.id}`, to: name(active), label: 'anon_vma' });
      for (let at: AnonVmaChain | null = link; at !== null; at = at.older) {
        edges.push({ from: `vma:${vma.id}`, to: nameLink(at), label: 'chain' });
      }
    }
    anonVma.visited = visited;
  }
  return { nodes, edges };
}
