import type { Mutant } from '../mutant.js';

/** mm: lock_vma_under_rcu() must check vma->anon_vma under vma lock (6.5). A neighbour is not locked by the VMA lock of the faulting one. */
export const mutant: Mutant = {
  id: 'anon-vma/prepare-under-vma-lock',
  base: 'anon-vma',
  kind: 'concurrent',
  commit: '657b5146955e',
  sentence: 'the first fault looks at its neighbours with nothing but its own VMA locked, while they change',
  patches: [['strategy.ts', `prepareUnder: 'mmap-lock'`, `prepareUnder: 'vma-lock'`]],
};
