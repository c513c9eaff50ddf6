import type { Mutant } from '../mutant.js';

/** mm: fix anon_vma->degree underflow in anon_vma endless growing prevention (4.0). */
export const mutant: Mutant = {
  id: 'anon-vma/failed-clone-counted',
  base: 'anon-vma',
  kind: 'sequential',
  commit: '3fe89b3e2a7b',
  sentence: 'a clone without memory discounts an active VMA that was not counted yet',
  patches: [
    [
      'clone.ts',
      `    state.vmas.of(to).anonVma = null;
`,
      '',
    ],
  ],
};
