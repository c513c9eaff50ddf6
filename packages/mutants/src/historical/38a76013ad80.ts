import type { Mutant } from '../mutant.js';

/** mm: avoid taking rmap locks in move_ptes() (3.8). A merge may put the destination in front of the source. */
export const mutant: Mutant = {
  id: 'anon-vma/merged-move-unlocked',
  base: 'anon-vma',
  kind: 'concurrent',
  commit: '38a76013ad80',
  sentence: 'a move takes no lock where it merges at its destination, although walks may then look there first',
  patches: [['move.ts', ' || (merged && to.anonPgoff <= from.anonPgoff)', '']],
};
