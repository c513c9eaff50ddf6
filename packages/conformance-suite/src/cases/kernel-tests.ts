import {
  MADV_COLLAPSE,
  MADV_DONTNEED,
  MADV_GUARD_INSTALL,
  MADV_HUGEPAGE,
  MADV_MERGEABLE,
  MAP_NORESERVE,
  type Operation,
  PROT_EXEC,
} from '@rmap-lab/core';
import {
  advise,
  fill,
  fork,
  ksmScan,
  ksmUnmerge,
  map,
  migrate,
  move,
  moveKeeping,
  munmap,
  protect,
  RO,
  read,
  resize,
  uffdMove,
  write,
} from '../operations.js';
import { type ProgramCase, programCases } from '../program-case.js';

/** Untouched and touched memory of the same flags may merge. */
const LIGHT = { flags: MAP_NORESERVE };
const RWX = 3 | PROT_EXEC;
const PRIVATE_FILE = { memory: 'file-private' as const };
const HUGE = { thp: { enabled: 'madvise' } } as const;
const huge = [map(512, 512), advise(512, 512, MADV_HUGEPAGE), write(512)];
const wholeOfTheChild = [write(10, 1), write(11, 1), write(12, 1), write(13, 1), write(14, 1)];

type Situation = readonly [name: string, rule: ProgramCase['rule'], title: string, program: readonly Operation[]];
/** Situations of one test file of the kernel. */
const from = (file: string, rest: Partial<ProgramCase>, situations: readonly Situation[]): ProgramCase[] =>
  situations.map(([name, rule, title, program]) => ({ name, rule, title, why: `situation of ${file}`, program, ...rest }));

/** Situations in which selftests/mm/merge.c and the userspace VMA tests look at ranges; here at what walks find. */
const merges = from('selftests/mm/merge.c', {}, [
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
const forked: ProgramCase[] = (
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

const single = from('tools/testing/vma', {}, [
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

const moves = from('selftests/mm/mremap_test.c and mremap_dontunmap.c', {}, [
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

const guards = from('selftests/mm/guard-regions.c', {}, [
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

const file: ProgramCase = {
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

/** The parents and children of selftests/mm/rmap.c: each of three processes forks two more, every one migrates the page in turn. */
const tree = [map(10, 2), write(10), fork(), fork(), fork(1), fork(1), fork(2), fork(2), fork(3)];

const families: readonly ProgramCase[] = [
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

const walkers: readonly ProgramCase[] = [
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

const largeFolios: readonly ProgramCase[] = [
  ...from('selftests/mm/cow.c', { needs: ['large-folio', 'collapse'], options: HUGE }, [
    [
      'collapse-lower-shared',
      'R12',
      'the child collapses what it shares the lower half of',
      [...huge, fork(), munmap(768, 256), advise(512, 512, MADV_COLLAPSE, 1), write(600)],
    ],
    [
      'collapse-upper-shared',
      'R12',
      'the child collapses what it shares the upper half of',
      [...huge, fork(), munmap(512, 256), advise(512, 512, MADV_COLLAPSE, 1), write(800)],
    ],
  ]),
  ...from('selftests/mm/cow.c', { needs: ['large-folio'], options: HUGE }, [
    [
      'huge-zero-page',
      'R12',
      'a huge page of zeros is forked and written',
      [map(512, 512), advise(512, 512, MADV_HUGEPAGE), read(600), fork(), write(600, 1), write(700)],
    ],
    [
      'one-page-of-a-huge-one',
      'R12',
      'all of a forked huge page but one page is unmapped',
      [...huge, fork(), munmap(513, 511), write(512, 1), write(512)],
    ],
  ]),
  ...from('selftests/mm/uffd-unit-tests.c', { needs: ['large-folio', 'uffd-move'], options: HUGE }, [
    ['uffd-move-pmd', 'R12', 'UFFDIO_MOVE of a huge page', [...huge, map(1536, 512), uffdMove(512, 1536, 512), fork()]],
    [
      'uffd-move-pmd-split',
      'R12',
      'UFFDIO_MOVE of a few pages of a huge one',
      [...huge, map(1536, 512), uffdMove(516, 1540, 4), fork(), write(516), write(1541, 1)],
    ],
  ]),
];

/** Situations of the kernel's own tests that the other files have no case of. Their assertions are about ranges and contents; ours about walks. */
export const kernelTests = [
  ...programCases('one-address-space', [...merges, ...forked, ...single, ...moves, ...guards, file]),
  ...programCases('families', families),
  ...programCases('large-folios', largeFolios),
  ...programCases('walkers', walkers),
];
