import type { Mutant } from '../mutant.js';

/** mm: avoid anon_vma_chain allocation under anon_vma lock (3.0). Reclaim may want that very lock. */
export const mutant: Mutant = {
  id: 'anon-vma/chain-allocated-under-lock',
  base: 'anon-vma',
  kind: 'concurrent',
  commit: 'dd34739c03f2',
  sentence: 'a clone allocates links under the lock that reclaim takes',
  patches: [
    [
      'clone.ts',
      `    let link = state.chains.tryAlloc();
    if (link === null) {
      if (locked) root.rwsem.writeUnlock();
      locked = false;
      link = yield* allocOrUndo(state, to);
    }
    if (!locked) yield* root.rwsem.write();
    locked = true;
`,
      `    if (!locked) yield* root.rwsem.write();
    locked = true;
    const link = yield* state.chains.alloc();
`,
    ],
  ],
};
