import type { ObjectGraph } from '@rmap-lab/core';
import type { Context } from './context.js';
import type { State } from './state.js';

/**
 * All contexts, `cow_context:<anchor word>`, with their address space (0: gone) and references; edges `parent`,
 * `child`, newest first, and from `mm:<id>`, `context`. Records are nodes of their own, with an edge `remap` from their context.
 */
export function inspect(state: State): ObjectGraph {
  const nodes: ObjectGraph['nodes'][number][] = [];
  const edges: ObjectGraph['edges'][number][] = [];
  const name = ({ ref }: Context): string => `cow_context:${ref}`;
  for (const context of state.contexts.memory) {
    const { mm, refs, parent, records } = context;
    if (refs === 0) continue;
    nodes.push({ id: name(context), type: 'cow_context', fields: { mm: mm?.id ?? 0, refs } });
    if (mm !== null) edges.push({ from: `mm:${mm.id}`, to: name(context), label: 'context' });
    if (parent !== null) edges.push({ from: name(context), to: name(parent), label: 'parent' });
    for (let child = context.firstChild; child !== null; child = child.next) {
      edges.push({ from: name(context), to: name(child), label: 'child' });
    }
    for (const { first, end, deltas } of records.ranges) {
      const id = `remap:${context.ref}:${first}`;
      nodes.push({ id, type: 'remap', fields: { first, end, deltas: deltas.join(' ') } });
      edges.push({ from: name(context), to: id, label: 'remap' });
    }
  }
  return { nodes, edges };
}
