import type { Mutant } from '../mutant.js';

/** mm, thp: close race between mremap() and split_huge_page() (3.15). */
export const mutant: Mutant = {
  id: 'anon-vma/pmd-moves-unlocked',
  base: 'anon-vma',
  kind: 'concurrent',
  commit: 'dd18dbc2d42a',
  sentence: 'a huge page moves without the lock where walks look at its destination first',
  patches: [
    ['move.ts', '(merged && to.anonPgoff <= from.anonPgoff)', `(merged && level !== 'pmd' && to.anonPgoff <= from.anonPgoff)`],
  ],
};
