import { type Address, type ObjectGraph, run, type Vma } from '@rmap-lab/core';
import { inspect as inspectRegular } from '@rmap-lab/strategy-anon-vma/parts';
import { lazyAnchor } from './anchor.js';
import type { LazyState } from './state.js';

/**
 * What a regular VMA shows, and for each root of a mapped VMA a node `root:<id>`: the word of its folios, how many VMAs
 * have it, KSM's pins, its base in pages, whether it is a zombie (1); `vma:<id>` has an edge `root` to it.
 */
export function inspect(state: LazyState): ObjectGraph {
  const { nodes, edges } = inspectRegular(state);
  const roots = new Set<Vma>();
  const more: ObjectGraph['edges'][number][] = [];
  for (const mm of run(state.services.mms())) {
    for (const vma of run(mm.vmas.overlapping(0 as Address, Number.MAX_SAFE_INTEGER as Address))) {
      const { root } = state.vmas.of(vma);
      if (root === null) continue;
      roots.add(root);
      more.push({ from: `vma:${vma.id}`, to: `root:${root.id}`, label: 'root' });
    }
  }
  const shown = [...roots].map((root) => {
    const { members, pins } = state.vmas.of(root);
    const fields = {
      anchor: lazyAnchor(state, root),
      mm: root.mm.id,
      members,
      pins,
      base: root.delta,
      zombie: root.attached ? 0 : 1,
    };
    return { id: `root:${root.id}`, type: 'root', fields };
  });
  return { nodes: [...nodes, ...shown], edges: [...edges, ...more] };
}
