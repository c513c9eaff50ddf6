import type { Op, Vma } from '@rmap-lab/core';
import type { AnonVma, AnonVmaChain } from '@rmap-lab/strategy-anon-vma/parts';
import type { LazyState } from './state.js';

/**
 * Gives a lazy VMA an anon_vma of its own, below that of the VMA it was forked from; lazy pages stay so until they are
 * rewritten, and so the VMA keeps its root. @throws NoMemory, nothing changed @locks mmap:W, vma:W
 */
export function* upgrade(state: LazyState, vma: Vma): Op<void> {
  const { anonVmas, services } = state;
  const fields = state.vmas.of(vma);
  if (fields.anonVma !== null && !fields.borrowed) return;
  const members = yield* membersOf(state, vma);
  const links: AnonVmaChain[] = [];
  let anonVma: AnonVma;
  try {
    for (let i = 0; i < members.length; i++) links.push(yield* state.chains.alloc());
    anonVma = yield* anonVmas.alloc();
  } catch (error) {
    for (const link of links) state.chains.free(link);
    throw error;
  }
  const above = fields.newest?.anonVma ?? null;
  if (above !== null) {
    anonVma.root = above.root;
    anonVma.parent = above;
    anonVma.root.refcount++;
  }

  const { rwsem } = anonVma.root;
  yield* rwsem.write();
  anonVma.parent.numChildren++;
  for (const member of members) {
    const its = state.vmas.of(member);
    if (its.borrowed) its.anonVma!.numActiveVmas--;
    its.borrowed = false;
    its.add(links.pop()!, member, anonVma);
    yield* services.store(its, 'anonVma', anonVma);
    anonVma.numActiveVmas++;
  }
  rwsem.writeUnlock();
  services.count('upgrade', members.length);
  if (fields.root !== null) rememberHeir(state, fields.root, anonVma);
}

/** With `family`, all that share the root and are in the same state: a folio may lie in several of them. */
function* membersOf(state: LazyState, vma: Vma): Op<Vma[]> {
  const { root, newest } = state.vmas.of(vma);
  if (root === null || state.options.upgrade === 'vma') return [vma];
  const family = yield* state.family(root);
  return family.filter((member) => {
    const its = state.vmas.of(member);
    return its.isLazy && its.newest?.anonVma === newest?.anonVma;
  });
}

function rememberHeir(state: LazyState, root: Vma, anonVma: AnonVma): void {
  const { pins, heirs } = state.vmas.of(root);
  if (pins === 0 && state.options.swapinFix !== 'on') return;
  anonVma.refcount++;
  heirs.push(anonVma);
}
