import type { Op, Vma } from '@rmap-lab/core';
import type { AnonVma } from './anon-vma.js';
import type { State } from './state.js';

/** Gives `vma` an anon_vma: a neighbour's, so that the two stay mergeable, or a new root (__anon_vma_prepare). @throws NoMemory */
export function* prepare(state: State, vma: Vma): Op<void> {
  const { anonVmas, chains } = state;
  const link = yield* chains.alloc();
  const shared = yield* neighbourAnonVma(state, vma);
  let anonVma: AnonVma;
  try {
    anonVma = shared ?? (yield* anonVmas.alloc());
  } catch (error) {
    chains.free(link);
    throw error;
  }
  if (shared === null) anonVma.numChildren++;

  const { rwsem } = anonVma.root;
  const pageTableLock = state.pageTableLock.of(vma.mm);
  const fields = state.vmas.of(vma);
  yield* rwsem.write();
  yield* pageTableLock.lock();
  const late = fields.anonVma !== null;
  if (!late) {
    yield* state.services.store(fields, 'anonVma', anonVma);
    fields.add(link, vma, anonVma);
    anonVma.numActiveVmas++;
  }
  pageTableLock.unlock();
  rwsem.writeUnlock();

  if (!late) return;
  if (shared === null) yield* anonVmas.put(anonVma);
  chains.free(link);
}

/** The anon_vma of the next or else the previous VMA, if `vma` could merge with it but for its access rights (find_mergeable_anon_vma). */
function* neighbourAnonVma(state: State, vma: Vma): Op<AnonVma | null> {
  const { services } = state;
  const { vmas } = vma.mm;
  const next = vmas.next(vma);
  const after = next !== null && services.couldShare(vma, next) ? yield* reusable(state, next) : null;
  if (after !== null) return after;
  const prev = vmas.prev(vma);
  return prev !== null && services.couldShare(prev, vma) ? yield* reusable(state, prev) : null;
}

/**
 * A VMA with several links came from a fork: sharing its anon_vma would need a copy of them all (reusable_anon_vma).
 * Another thread may be preparing the neighbour at this moment, as mmap_lock is only held for reading.
 */
function* reusable(state: State, neighbour: Vma): Op<AnonVma | null> {
  const fields = state.vmas.of(neighbour);
  const anonVma = yield* state.services.load(fields, 'anonVma');
  return fields.links === 1 ? anonVma : null;
}
