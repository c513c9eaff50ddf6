import { MADV_GUARD_INSTALL } from '@rmap-lab/core';
import { advise, fork, map, move, moveKeeping, protect, RO, resize, write } from '../../operations.js';
import { from } from './situation.js';

/** Moves of several mappings at once, of parts, onto others. */
export const moves = from('selftests/mm/mremap_test.c and mremap_dontunmap.c', {}, [
  [
    'move-several',
    'R10',
    'a move of three neighbouring mappings at once',
    [map(10, 6), write(10), write(12), write(15), protect(12, 2, RO), move(10, 6, 40)],
  ],
  [
    'move-several-cut-at-both-ends',
    'R10',
    'a move that cuts the first and the last of three mappings',
    [map(10, 9), write(11), write(14), write(17), protect(13, 3, RO), move(11, 7, 40)],
  ],
  [
    'move-several-keeping',
    'R4',
    'MREMAP_DONTUNMAP of three neighbouring mappings',
    [map(10, 6), write(10), write(12), write(15), protect(12, 2, RO), moveKeeping(10, 6, 40), write(15)],
  ],
  [
    'shrink-over-several',
    'R8',
    'a shrink that takes whole neighbours with it',
    [map(10, 8), write(10), write(13), write(16), protect(12, 2, RO), resize(10, 8, 1)],
  ],
  ['grow-at-an-offset', 'R8', 'the tail of a mapping grows', [map(10, 4), write(10), write(13), resize(12, 2, 6), write(16)]],
  [
    'move-keeping-a-part',
    'R4',
    'MREMAP_DONTUNMAP of a middle',
    [map(10, 5), write(10), write(12), write(14), moveKeeping(11, 3, 40), write(12)],
  ],
  [
    'move-keeping-over-touched',
    'R4',
    'MREMAP_DONTUNMAP onto touched memory',
    [map(10, 4), write(10), map(40, 6), write(41), write(45), moveKeeping(10, 4, 40), write(11)],
  ],
]);

/** Guard markers that are forked, cut and moved. */
export const guards = from('selftests/mm/guard-regions.c', {}, [
  [
    'guard-forked',
    'R5',
    'guard markers are forked',
    [map(10, 4), advise(11, 1, MADV_GUARD_INSTALL), write(10), fork(), write(10, 1), write(12, 1)],
  ],
  [
    'guard-cut-and-merged',
    'R6',
    'memory with guard markers is cut and merges again',
    [map(10, 4), write(10), advise(12, 1, MADV_GUARD_INSTALL), protect(12, 2, RO), protect(12, 2, 3), write(13)],
  ],
  [
    'guard-moved',
    'R10',
    'guard markers move',
    [map(10, 4), write(10), advise(11, 1, MADV_GUARD_INSTALL), move(10, 4, 40), write(42)],
  ],
]);
