import { ContractViolation, type Op, type Vma } from '@rmap-lab/core';
import type { AnonVma } from './anon-vma.js';
import type { AnonVmaChain } from './anon-vma-chain.js';
import type { State } from './state.js';

/**
 * Undoes all links of `vma` (unlink_anon_vmas). Freeing an anon_vma may wait for readers of the root's lock, so what has
 * become empty is only marked under that lock, by staying in the list, and put after it.
 */
export function* unlink(state: State, vma: Vma): Op<void> {
  const fields = state.vmas.of(vma);
  if (fields.newest === null) return;
  const { rwsem } = fields.newest.anonVma.root;

  yield* rwsem.write();
  for (let link: AnonVmaChain | null = fields.newest; link !== null; ) {
    const { anonVma, older }: AnonVmaChain = link;
    anonVma.remove(link);
    if (anonVma.top === null) anonVma.parent.numChildren--;
    else {
      fields.remove(link);
      state.chains.free(link);
    }
    link = older;
  }
  if (fields.anonVma !== null) {
    fields.anonVma.numActiveVmas--;
    fields.anonVma = null;
  }
  rwsem.writeUnlock();

  for (let link: AnonVmaChain | null = fields.newest; link !== null; link = fields.newest) {
    const { anonVma }: AnonVmaChain = link;
    if (anonVma.numChildren !== 0 || anonVma.numActiveVmas !== 0) throw miscounted(anonVma);
    fields.remove(link);
    state.chains.free(link);
    yield* state.anonVmas.put(anonVma);
  }
}

/** The kernel warns: this has led to anon_vmas shared by VMAs with different links. */
const miscounted = ({ numChildren, numActiveVmas }: AnonVma): ContractViolation =>
  new ContractViolation(
    'R15',
    'unlink',
    'unlink_anon_vmas',
    `an anon_vma without VMAs counts ${numChildren} children and ${numActiveVmas} active VMAs`,
  );
