import type { Mutant } from '../mutant.js';

/** mm/mremap: hold the rmap lock in write mode when moving page table entries (5.14). */
export const mutant: Mutant = {
  id: 'anon-vma/tables-move-unlocked',
  base: 'anon-vma',
  kind: 'concurrent',
  commit: '97113eb39fa7',
  sentence: 'a whole page table moves without the lock, although a walk may be inside it',
  patches: [
    ['move.ts', `level === 'table' || `, ''],
    ['move.ts', '{ why, merged, from, to, level }: PageTableMove', '{ why, merged, from, to }: PageTableMove'],
  ],
};
