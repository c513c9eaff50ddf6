import type { Op, Vma } from '@rmap-lab/core';
import type { AnonVma } from './anon-vma.js';
import type { AnonVmaChain } from './anon-vma-chain.js';
import { cloneChain } from './clone.js';
import type { State } from './state.js';
import { unlink } from './unlink.js';

/** Links `child` to all that `parent` is linked to, and to a new anon_vma for its own pages unless an abandoned one serves (anon_vma_fork). @throws NoMemory, `child` not linked */
export function* fork(state: State, child: Vma, parent: Vma): Op<void> {
  const { anonVmas, chains } = state;
  yield* cloneChain(state, child, parent, true);
  const fields = state.vmas.of(child);
  if (fields.anonVma !== null) return;

  let anonVma: AnonVma | null = null;
  let link: AnonVmaChain;
  try {
    anonVma = yield* anonVmas.alloc();
    link = yield* chains.alloc();
  } catch (error) {
    if (anonVma !== null) yield* anonVmas.put(anonVma);
    yield* unlink(state, child);
    throw error;
  }
  const above = state.vmas.of(parent).anonVma!;
  anonVma.numActiveVmas = 1;
  anonVma.root = above.root;
  anonVma.parent = above;
  anonVma.root.refcount++;
  fields.anonVma = anonVma;

  const { rwsem } = anonVma.root;
  yield* rwsem.write();
  fields.add(link, child, anonVma);
  above.numChildren++;
  rwsem.writeUnlock();
}
