import type { Address, Op, RmapHold, RmapQuery, RmapVisitor } from '@rmap-lab/core';
import { held, isPin } from './lock.js';
import type { State } from './state.js';

/** Offers every VMA linked to the held anon_vma whose range overlaps the query, by ascending offset (rmap_walk_anon). */
export function* walk(state: State, hold: RmapHold, { first, last }: RmapQuery, visitor: RmapVisitor): Op<void> {
  const { services } = state;
  const anonVma = held(state, hold);
  const { rwsem } = anonVma.root;
  let candidates = 0;
  if (isPin(hold)) yield* rwsem.read();
  try {
    for (let link = anonVma.first(first, last); link !== null; link = anonVma.next(link, first, last)) {
      candidates++;
      const more = visitor.visit(link.vma, services.addressIn(link.vma, first, last) as Address);
      if (!(typeof more === 'boolean' ? more : yield* more)) break;
    }
  } finally {
    if (isPin(hold)) rwsem.readUnlock();
    services.count('candidate', candidates);
    services.count('tree-node', anonVma.visited);
    anonVma.visited = 0;
  }
}
