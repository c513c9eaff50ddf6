import { MADV_DONTNEED, MADV_HUGEPAGE, MADV_PAGEOUT, type Operation, PROT_READ, PROT_WRITE } from '@rmap-lab/core';
import type { Difference } from './judge.js';
import type { SavedProgram } from './saved-program.js';

/** A difference between kernel and model that is understood and accepted. */
export interface KnownDifference {
  readonly name: string;
  /** Why the model does otherwise, and which function of the kernel it is about. */
  readonly reason: string;
  /** A program that shows it; the tests fail when it does so no more. */
  readonly example: SavedProgram;
  /** Whether a shrunk difference is this one. */
  matches(difference: Difference): boolean;
}

const advised = (operation: Operation, advice: number): boolean => operation.op === 'madvise' && operation.advice === advice;
const RW = PROT_READ | PROT_WRITE;

/** All of them. What is not in here is to be mended. */
export const KNOWN_DIFFERENCES: readonly KnownDifference[] = [
  {
    name: 'a page stays mlocked longer than its VMA',
    reason:
      'dontunmap_complete clears VM_LOCKED and leaves PG_mlocked set, so folio_isolate_lru and folio_mark_lazyfree leave the page alone; the model knows VM_LOCKED only',
    example: {
      settings: { orders: [9], swap: true },
      program: [
        { op: 'mmap', process: 0, at: 12, pages: 5, prot: RW, memory: 'private', flags: 0, offset: 7 },
        { op: 'mlock', process: 0, at: 13, pages: 4 },
        { op: 'mremap', process: 0, at: 16, pages: 1, newPages: 1, to: 1, dontUnmap: true },
        { op: 'madvise', process: 0, at: 14, pages: 3, advice: MADV_PAGEOUT },
      ],
    },
    matches: ({ program }) => program.some(({ op }) => op === 'mlock') && program.some((each) => advised(each, MADV_PAGEOUT)),
  },
  {
    name: 'MADV_DONTNEED frees a table that became empty',
    reason:
      'zap_pte_range with CONFIG_PT_RECLAIM (try_to_free_pte) gives the empty table back, so the next touch may take a folio of PMD size; the model keeps the table',
    example: {
      settings: { orders: [9], swap: false },
      program: [
        { op: 'mmap', process: 0, at: 1536, pages: 768, prot: RW, memory: 'private', flags: 0, offset: 4 },
        { op: 'write', process: 0, at: 1536 },
        { op: 'madvise', process: 0, at: 1536, pages: 640, advice: MADV_DONTNEED },
        { op: 'madvise', process: 0, at: 1536, pages: 512, advice: MADV_HUGEPAGE },
        { op: 'write', process: 0, at: 1755 },
      ],
    },
    matches: ({ program }) =>
      program.some((each) => advised(each, MADV_DONTNEED) && 'pages' in each && each.pages >= 512) &&
      program.some((each) => advised(each, MADV_HUGEPAGE)),
  },
];
