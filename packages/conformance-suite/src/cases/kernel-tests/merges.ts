import { MAP_NORESERVE } from '@rmap-lab/core';
import { fork, map, move, moveKeeping, munmap, protect, RO, resize, write } from '../../operations.js';
import type { ProgramCase } from '../../program-case.js';
import { from } from './situation.js';

/** Untouched and touched memory of the same flags may merge. */
const LIGHT = { flags: MAP_NORESERVE };
const PRIVATE_FILE = { memory: 'file-private' as const };

/** Situations in which selftests/mm/merge.c and the userspace VMA tests look at ranges; here at what walks find. */
export const merges = from('selftests/mm/merge.c', {}, [
  [
    'merge/untouched-left',
    'R11',
    'touched memory becomes like the untouched memory before it',
    [map(10, 10, LIGHT), protect(10, 5, RO), write(15), protect(15, 5, RO)],
  ],
  [
    'merge/untouched-right',
    'R11',
    'touched memory becomes like the untouched memory behind it',
    [map(10, 10, LIGHT), protect(15, 5, RO), write(10), protect(10, 5, RO)],
  ],
  [
    'merge/untouched-both',
    'R11',
    'touched memory becomes like the untouched memory around it',
    [map(10, 9, LIGHT), protect(10, 3, RO), protect(16, 3, RO), write(13), protect(13, 3, RO)],
  ],
  [
    'merge/touched-left',
    'R11',
    'a part becomes like touched memory before and untouched memory behind',
    [map(10, 9, LIGHT), protect(16, 3, RO), write(10), protect(10, 3, RO), protect(13, 3, RO)],
  ],
  [
    'merge/touched-right',
    'R11',
    'a part becomes like untouched memory before and touched memory behind',
    [map(10, 9, LIGHT), protect(10, 3, RO), write(13), protect(16, 3, RO), protect(13, 3, RO)],
  ],
  [
    'merge/moved-behind',
    'R11',
    'untouched memory moves behind touched memory',
    [map(10, 5), write(10), map(40, 5), move(40, 5, 15), write(16)],
  ],
  [
    'merge/moved-before',
    'R11',
    'untouched memory moves before touched memory',
    [map(15, 5), write(15), map(40, 5), move(40, 5, 10), write(10)],
  ],
  [
    'merge/moved-between',
    'R11',
    'untouched memory moves between two touched mappings',
    [map(10, 5), write(10), map(20, 5), write(20), map(40, 5), move(40, 5, 15), write(15)],
  ],
  [
    'merge/moved-between-touched-and-untouched',
    'R11',
    'untouched memory moves between touched and untouched memory',
    [map(10, 5), write(10), map(20, 5), map(40, 5), move(40, 5, 15), write(15), write(20)],
  ],
  [
    'merge/moved-into-a-hole',
    'R11',
    'untouched memory moves into the hole of one mapping',
    [map(10, 15), write(10), write(20), munmap(15, 5), map(40, 5), move(40, 5, 15), write(15)],
  ],
  [
    'merge/put-back',
    'R11',
    'three parts that had moved away are put back',
    [map(10, 15), write(10), write(15), write(20), move(15, 5, 40), move(20, 5, 60), move(40, 5, 15), move(60, 5, 20)],
  ],
  [
    'merge/put-back-left',
    'R11',
    'the left part alone is put back',
    [map(10, 15), write(10), write(15), move(10, 5, 40), move(40, 5, 10), write(11)],
  ],
  [
    'merge/put-back-between',
    'R11',
    'the middle part is put back between the others',
    [map(10, 15), write(10), write(15), write(20), move(15, 5, 40), move(40, 5, 15), write(16)],
  ],
]);

/** The four moves of merge.c's second fixture, each without and with a fork before. */
export const forked: ProgramCase[] = (
  [
    ['touched-to-untouched-before', [map(10, 5), map(40, 5), write(40)], [move(40, 5, 15), write(16)]],
    ['touched-to-untouched-behind', [map(15, 5), map(40, 5), write(40)], [move(40, 5, 10), write(16)]],
    [
      'kept-between-untouched',
      [map(10, 5), map(20, 5), map(40, 5), write(40)],
      [moveKeeping(40, 5, 15), munmap(40, 5), write(10), write(20)],
    ],
    [
      'kept-between-untouched-and-touched',
      [map(10, 5), map(20, 5), write(20), map(40, 5), write(40)],
      [moveKeeping(40, 5, 15), munmap(40, 5), write(10)],
    ],
  ] as const
).flatMap(([name, before, after]) =>
  [false, true].map((forks) => ({
    name: `merge/${name}${forks ? '-after-a-fork' : ''}`,
    rule: 'R11' as const,
    title: `touched memory moves next to other memory${forks ? ', after a fork' : ''}; its source goes`,
    why: 'situation of selftests/mm/merge.c (merge_with_fork); is_mergeable_anon_vma asks for no fork',
    program: [...before, ...(forks ? [fork()] : []), ...after],
  })),
);

export const single = from('tools/testing/vma', {}, [
  [
    'merge/new-in-a-row',
    'R11',
    'new mappings join to the left, to the right and on both sides',
    [
      map(10, 1),
      write(10),
      map(13, 1),
      write(13),
      map(11, 1),
      map(12, 1),
      map(18, 1),
      write(18),
      map(17, 1),
      map(14, 3),
      write(15),
    ],
  ],
  [
    'merge/three-adjacent',
    'R11',
    'three adjacent mappings, the middle one last',
    [map(10, 2), map(14, 2), map(12, 2), write(11), write(13), write(15)],
  ],
  [
    'merge/part-to-the-left',
    'R8',
    'the head of touched memory goes over to what is before it',
    [map(10, 8), write(10), write(14), protect(10, 4, RO), protect(14, 2, RO)],
  ],
  [
    'merge/part-to-the-right',
    'R8',
    'the tail of touched memory goes over to what is behind it',
    [map(10, 8), write(10), write(14), protect(14, 4, RO), protect(12, 2, RO)],
  ],
  [
    'merge/middle-alone',
    'R8',
    'a middle that changes merges with nobody',
    [map(10, 9), write(10), write(14), write(18), protect(13, 3, RO), protect(14, 1, 3)],
  ],
  [
    'grow-into-next',
    'R8',
    'a mapping that grows up to the next one of its kind',
    [map(10, 4), write(10), map(18, 4), write(18), resize(10, 4, 8), write(15)],
  ],
]);

export const file: ProgramCase = {
  name: 'merge/private-file-offsets',
  rule: 'R11',
  needs: ['private-file'],
  title: 'copies of neighbouring file pages come to lie side by side',
  why: 'situation of selftests/mm/merge.c (anon_and_page_offset_mismatch)',
  program: [
    map(10, 4, PRIVATE_FILE),
    write(10),
    map(40, 4, { ...PRIVATE_FILE, offset: 4 }),
    write(41),
    move(40, 4, 14),
    write(15),
  ],
};
