import type { Mutant } from '../mutant.js';

/** mm anon rmap: remove anon_vma_moveto_tail (3.8; ebd5c1e92888 in linux-next). A tree keeps no order of linking. */
export const mutant: Mutant = {
  id: 'anon-vma/moves-unlocked',
  base: 'anon-vma',
  kind: 'concurrent',
  commit: '108d6642ad81',
  sentence: 'no move takes the lock: walks are trusted to look at the source first, in which a tree does not follow',
  patches: [
    [
      'move.ts',
      'const locked = anonVma !== null && needsRmapLock(moving);',
      'const locked = anonVma !== null && moving.bytes === 0;',
    ],
  ],
};
