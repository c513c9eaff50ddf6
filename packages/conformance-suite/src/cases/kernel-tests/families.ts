import { MADV_DONTNEED, MADV_MERGEABLE, MAP_NORESERVE, PROT_EXEC } from '@rmap-lab/core';
import { advise, fill, fork, ksmScan, ksmUnmerge, map, migrate, move, munmap, protect, RO, write } from '../../operations.js';
import type { ProgramCase } from '../../program-case.js';
import { from } from './situation.js';

/** Untouched and touched memory of the same flags may merge. */
const LIGHT = { flags: MAP_NORESERVE };
const RWX = 3 | PROT_EXEC;

const wholeOfTheChild = [write(10, 1), write(11, 1), write(12, 1), write(13, 1), write(14, 1)];

/** The parents and children of selftests/mm/rmap.c: each of three processes forks two more, every one migrates the page in turn. */
const tree = [map(10, 2), write(10), fork(), fork(), fork(1), fork(1), fork(2), fork(2), fork(3)];

/** Merges and copies on write after a fork. */
export const families: readonly ProgramCase[] = [
  ...from('selftests/mm/merge.c', {}, [
    [
      'merge/forked-target',
      'R11',
      'new memory next to memory that a child has copied whole',
      [map(10, 5), write(10), fork(), ...wholeOfTheChild, map(15, 5, { process: 1 }), write(15, 1)],
    ],
    [
      'merge/forked-source',
      'R11',
      "a child's copied memory becomes like the untouched memory behind it",
      [
        map(10, 5, LIGHT),
        write(10),
        fork(),
        ...wholeOfTheChild,
        map(15, 5, { process: 1, prot: RWX, ...LIGHT }),
        protect(10, 5, RWX, 1),
        write(15, 1),
      ],
    ],
  ]),
  ...from('selftests/mm/cow.c', {}, [
    [
      'cow-after-mprotect',
      'R12',
      'the parent writes after its memory was read-only for a while',
      [map(10, 2), write(10), fork(), protect(10, 2, RO), protect(10, 2, 3), write(10)],
    ],
    [
      'cow-after-mprotect-in-the-child',
      'R12',
      'the child writes after its memory was read-only for a while',
      [map(10, 2), write(10), fork(), protect(10, 2, RO, 1), protect(10, 2, 3, 1), write(10, 1)],
    ],
  ]),
];

/** Migration and KSM. */
export const walkers: readonly ProgramCase[] = [
  ...from('selftests/mm/rmap.c', { needs: ['migrate'] }, [
    [
      'migrate/tree',
      'R23',
      'a page of eight processes is migrated by one after the other',
      [...tree, migrate(10, 7), migrate(10, 3), migrate(10)],
    ],
    [
      'migrate/tree-moved',
      'R23',
      'the same where some have moved it',
      [...tree, move(10, 2, 40, 3), move(10, 2, 70, 6), migrate(40, 3), migrate(10, 7)],
    ],
  ]),
  ...from('selftests/mm/rmap.c', { needs: ['migrate', 'ksm'] }, [
    [
      'migrate/ksm',
      'R27',
      'a merged page of a family is migrated',
      [map(10, 2), fill(10, 7), fill(11, 7), advise(10, 2, MADV_MERGEABLE), ksmScan, fork(), migrate(10), migrate(11, 1)],
    ],
    [
      'migrate/ksm-moved',
      'R27',
      'a merged page is migrated after its place has moved',
      [map(10, 2), fill(10, 7), fill(11, 7), advise(10, 2, MADV_MERGEABLE), ksmScan, move(11, 1, 40), migrate(10), migrate(40)],
    ],
    [
      'migrate/ksm-after-move',
      'R27',
      'memory that moved over other memory is merged, and migrated',
      [
        map(10, 4),
        fill(10, 7),
        fill(11, 7),
        fill(12, 7),
        fill(13, 7),
        move(12, 2, 10),
        advise(10, 2, MADV_MERGEABLE),
        ksmScan,
        migrate(10),
        migrate(11),
      ],
    ],
  ]),
  ...from('selftests/mm/ksm_functional_tests.c and merge.c', { needs: ['ksm'] }, [
    [
      'ksm/discarded',
      'R27',
      'merged pages are dropped and touched again',
      [
        map(10, 2),
        fill(10, 7),
        fill(11, 7),
        advise(10, 2, MADV_MERGEABLE),
        ksmScan,
        advise(10, 1, MADV_DONTNEED),
        write(10),
        ksmScan,
      ],
    ],
    [
      'ksm/no-access',
      'R27',
      'merged pages that nobody may access are given back',
      [map(10, 2), fill(10, 7), fill(11, 7), advise(10, 2, MADV_MERGEABLE), ksmScan, protect(10, 2, 0), ksmUnmerge],
    ],
    [
      'ksm/mergeable-neighbours',
      'R11',
      'mergeable memory is mapped next to mergeable memory',
      [
        map(10, 1),
        map(11, 1),
        munmap(11, 1),
        advise(10, 1, MADV_MERGEABLE),
        map(11, 1),
        advise(11, 1, MADV_MERGEABLE),
        fill(10, 7),
        fill(11, 7),
        ksmScan,
        write(11),
      ],
    ],
  ]),
];
