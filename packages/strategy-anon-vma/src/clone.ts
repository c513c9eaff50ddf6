import type { Op, Vma } from '@rmap-lab/core';
import type { AnonVma } from './anon-vma.js';
import type { AnonVmaChain } from './anon-vma-chain.js';
import type { State } from './state.js';
import { unlink } from './unlink.js';

/** Links `to`, not linked yet, to all that `from` is linked to, and lets its pages go where those of `from` go (anon_vma_clone). @throws NoMemory, `to` not linked */
export function* clone(state: State, to: Vma, from: Vma): Op<void> {
  state.vmas.of(to).anonVma = state.vmas.of(from).anonVma;
  yield* cloneChain(state, to, from, false);
}

/**
 * Copies the links of `from`, oldest first, so that `to` has them in the same order. A forked VMA may find an anon_vma on
 * the way that is no VMA's own any more and has but one child: taking it over keeps a line of forks from growing for ever.
 */
export function* cloneChain(state: State, to: Vma, from: Vma, forked: boolean): Op<void> {
  const target = state.vmas.of(to);
  const { root } = state.vmas.of(from).oldest!.anonVma;
  let locked = false;
  for (let old = state.vmas.of(from).oldest; old !== null; old = old.newer) {
    let link = state.chains.tryAlloc();
    if (link === null) {
      if (locked) root.rwsem.writeUnlock();
      locked = false;
      link = yield* allocOrUndo(state, to);
    }
    if (!locked) yield* root.rwsem.write();
    locked = true;
    target.add(link, to, old.anonVma);
    if (forked && target.anonVma === null && isAbandoned(old.anonVma)) target.anonVma = old.anonVma;
  }
  if (target.anonVma !== null) target.anonVma.numActiveVmas++;
  root.rwsem.writeUnlock();
}

/** A root is never abandoned: it is its own child, next to the one on the way here. */
const isAbandoned = ({ numChildren, numActiveVmas }: AnonVma): boolean => numChildren < 2 && numActiveVmas === 0;

/** May reclaim and so must not run under the lock that reclaim takes. */
function* allocOrUndo(state: State, to: Vma): Op<AnonVmaChain> {
  try {
    return yield* state.chains.alloc();
  } catch (error) {
    // Not counted as active yet, so unlink must not discount it.
    state.vmas.of(to).anonVma = null;
    yield* unlink(state, to);
    throw error;
  }
}
