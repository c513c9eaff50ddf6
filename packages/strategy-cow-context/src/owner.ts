import type { Folio, Op } from '@rmap-lab/core';
import type { Context } from './context.js';
import type { State } from './state.js';

/** The context that a folio belongs to. */
export const ownerOf = ({ contexts, services }: State, folio: Folio): Context => contexts.at(services.folios.anchor(folio));

/**
 * Gives a folio that only one address space maps to the context of that one, so that walks start lower. All walks of a folio are
 * under its owner's lock: while one is on its way the folio stays where it is, which is right, only longer to walk.
 */
export function* repoint(state: State, folio: Folio, own: Context, event: 'reuse' | 'rehome'): Op<void> {
  const old = ownerOf(state, folio);
  if (old === own) return;
  // Who calls for 'rehome' holds that lock for writing.
  if (event === 'reuse' && !old.lock.tryWrite()) return;
  own.refs++;
  state.services.folios.setAnchor(folio, own.ref);
  if (event === 'reuse') old.lock.writeUnlock();
  yield* state.contexts.put(old);
}
