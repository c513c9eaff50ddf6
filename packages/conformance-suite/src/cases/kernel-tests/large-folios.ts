import { MADV_COLLAPSE, MADV_HUGEPAGE } from '@rmap-lab/core';
import { advise, fork, map, munmap, read, uffdMove, write } from '../../operations.js';
import type { ProgramCase } from '../../program-case.js';
import { from } from './situation.js';

const HUGE = { thp: { enabled: 'madvise' } } as const;
const huge = [map(512, 512), advise(512, 512, MADV_HUGEPAGE), write(512)];

/** Copies, collapse and moves of large folios. */
export const largeFolios: readonly ProgramCase[] = [
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
