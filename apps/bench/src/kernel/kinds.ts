import { PROT_READ, PROT_WRITE } from '@rmap-lab/core';
import { exit, fork, map, move, type OperationList, page, pageOut, protect, unmap, write } from './operations.js';

/** One row: a list of operations at size `n`, timed as `n` operations. */
export interface Kind {
  readonly id: string;
  /** What one operation is, in the singular. */
  readonly operation: string;
  readonly n: number;
  readonly quickN: number;
  list(n: number): OperationList;
  /** Pages go to swap. */
  readonly swaps?: true;
}

const START = page(0);
const SHARERS = 16;
const repeat = <T>(n: number, items: (i: number) => readonly T[]): T[] => Array.from({ length: n }, (_, i) => items(i)).flat();
const touched = (pages: number) => [map(START, pages), write(START, pages)];

export const kinds: readonly Kind[] = [
  {
    id: 'fault.first-touch',
    operation: 'page',
    n: 16_384,
    quickN: 64,
    list: (n) => ({ setup: [map(START, n)], timed: [write(START, n)] }),
  },
  {
    id: 'fault.cow-copy',
    operation: 'page',
    n: 8192,
    quickN: 64,
    list: (n) => ({ setup: [...touched(n), fork(1)], timed: [write(START, n)] }),
  },
  {
    id: 'fault.cow-reuse',
    operation: 'page',
    n: 8192,
    quickN: 64,
    list: (n) => ({ setup: [...touched(n), fork(1), exit(1)], timed: [write(START, n)] }),
  },
  {
    id: 'fork.pte',
    operation: 'PTE',
    n: 65_536,
    quickN: 64,
    list: (n) => ({ setup: touched(n), timed: [fork(1)] }),
  },
  {
    id: 'fork.vma',
    operation: 'VMA',
    n: 5000,
    quickN: 16,
    list: (n) => ({ setup: repeat(n, (i) => [map(page(2 * i), 1), write(page(2 * i), 1)]), timed: [fork(1)] }),
  },
  {
    id: 'mmap-munmap',
    operation: 'pair',
    n: 5000,
    quickN: 16,
    list: (n) => ({ setup: touched(1), timed: repeat(n, () => [map(page(8), 1), unmap(page(8), 1)]) }),
  },
  {
    id: 'mprotect.split-merge',
    operation: 'pair',
    n: 3000,
    quickN: 16,
    list: (n) => ({
      setup: touched(5),
      timed: repeat(n, () => [protect(page(2), 1, PROT_READ), protect(page(2), 1, PROT_READ | PROT_WRITE)]),
    }),
  },
  {
    id: 'mremap.move',
    operation: 'move',
    n: 5000,
    quickN: 16,
    list: (n) => ({ setup: touched(1), timed: repeat(n, (i) => [move(page((i % 2) * 8), 1, page(8 - (i % 2) * 8))]) }),
  },
  {
    // Pages of the oldest anon_vma that only the youngest process still maps: each walk looks at everybody's VMA.
    id: 'page-out.walk-18',
    operation: 'page',
    n: 512,
    quickN: 32,
    list: (n) => ({
      setup: [
        ...touched(n),
        ...repeat(SHARERS, (i) => [fork(1 + i), write(START, n, 1 + i)]),
        fork(1 + SHARERS),
        write(START, n),
      ],
      timed: [pageOut(START, n, 1 + SHARERS)],
    }),
    swaps: true,
  },
];
