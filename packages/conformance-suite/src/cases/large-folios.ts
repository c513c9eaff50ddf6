import { type Feature, MADV_COLLAPSE, MADV_DONTNEED, MADV_HUGEPAGE } from '@rmap-lab/core';
import {
  advise,
  exit,
  fork,
  khugepaged,
  map,
  move,
  munmap,
  protect,
  RO,
  splitDeferred,
  splitFolio,
  write,
} from '../operations.js';
import { type ProgramCase, programCases } from '../program-case.js';

const FOUR = { thp: { orders: { 2: 'always' } } } as const;
const HUGE = { thp: { enabled: 'madvise' } } as const;
/** A folio of 4 pages at page 12. */
const small = [map(12, 4), write(12)];
/** A folio of 512 pages at page 512, in a VMA with room around it. */
const huge = [map(500, 1100), advise(500, 1100, MADV_HUGEPAGE), write(512)];

const needsOf = ({ program }: Pick<ProgramCase, 'program'>): readonly Feature[] =>
  program.some(({ op }) => op === 'splitFolio' || op === 'splitDeferred') ? ['large-folio', 'folio-split'] : ['large-folio'];
const four = (cases: readonly Omit<ProgramCase, 'options' | 'needs'>[]): ProgramCase[] =>
  cases.map((each) => ({ ...each, options: FOUR, needs: needsOf(each) }));
const pmd = (cases: readonly Omit<ProgramCase, 'options' | 'needs'>[]): ProgramCase[] =>
  cases.map((each) => ({ ...each, options: HUGE, needs: needsOf(each) }));

/** Folios of several pages, mapped whole, in parts, by PMD, by several VMAs. */
export const largeFolios = programCases('large-folios', [
  ...four([
    {
      name: 'first-write',
      rule: 'R12',
      title: 'all pages of a large folio are found',
      why: 'alloc_anon_folio, folio_add_new_anon_rmap',
      program: small,
    },
    {
      name: 'cut-by-protection',
      rule: 'R17',
      title: 'a folio that lies over a cut is found in both VMAs',
      why: '__split_vma inside a folio',
      program: [...small, protect(14, 2, RO)],
    },
    {
      name: 'cut-three-ways',
      rule: 'R17',
      title: 'a folio in three VMAs',
      why: 'two cuts in one folio',
      program: [...small, protect(13, 1, RO), protect(15, 1, RO)],
    },
    {
      name: 'head-unmapped',
      rule: 'R17',
      title: 'a folio whose first page is gone',
      why: 'deferred split; vma_address clips',
      program: [...small, munmap(12, 1)],
    },
    {
      name: 'tail-unmapped',
      rule: 'R17',
      title: 'a folio whose last pages are gone',
      why: 'deferred split',
      program: [...small, munmap(14, 2)],
    },
    {
      name: 'hole-filled',
      rule: 'R17',
      title: 'new memory in the hole of a folio is not taken for it',
      why: 'another VMA inside the range of a folio',
      program: [...small, munmap(13, 1), map(13, 1), write(13)],
    },
    {
      name: 'half-moved',
      rule: 'R10',
      title: 'half of a folio moves',
      why: 'mremap of a part; two distances in one folio',
      program: [...small, move(14, 2, 40)],
    },
    {
      name: 'whole-moved',
      rule: 'R10',
      title: 'a whole folio moves to an unaligned place',
      why: 'move_ptes',
      program: [...small, move(12, 4, 41)],
    },
    {
      name: 'each-page-elsewhere',
      rule: 'R10',
      title: 'the four pages of a folio in four places',
      why: 'four distances in one folio',
      program: [...small, move(12, 1, 40), move(13, 1, 50), move(15, 1, 60)],
    },
    {
      name: 'forked',
      rule: 'R7',
      title: 'a large folio is shared by a fork',
      why: 'folio_try_dup_anon_rmap_ptes',
      program: [...small, fork()],
    },
    {
      name: 'one-page-copied',
      rule: 'R12',
      title: 'the child copies one page of a shared folio',
      why: 'wp_page_copy in a large folio',
      program: [...small, fork(), write(13, 1)],
    },
    {
      name: 'half-moved-in-the-child',
      rule: 'R10',
      title: 'the child moves half of a shared folio',
      why: 'partial mremap after fork',
      program: [...small, fork(), move(14, 2, 40, 1)],
    },
    {
      name: 'parent-keeps-one-page',
      rule: 'R17',
      title: 'parent and child map different pages of one folio',
      why: 'partial unmap in both',
      program: [...small, fork(), munmap(13, 3), munmap(12, 1, 1)],
    },
    {
      name: 'split',
      rule: 'R14',
      title: 'a folio that is split: each piece is found',
      why: '__folio_split',
      program: [...small, splitFolio(12)],
    },
    {
      name: 'split-shared',
      rule: 'R14',
      title: 'a shared folio that is split',
      why: '__folio_split, remap_page',
      program: [...small, fork(), splitFolio(12), write(12, 1)],
    },
    {
      name: 'split-over-a-cut',
      rule: 'R14',
      title: 'a folio over a cut that is split',
      why: '__folio_split in two VMAs',
      program: [...small, protect(14, 2, RO), splitFolio(12)],
    },
    {
      name: 'split-after-move',
      rule: 'R14',
      title: 'a folio of which half moved is split',
      why: '__folio_split at two distances',
      program: [...small, move(14, 2, 40), splitFolio(12)],
    },
    {
      name: 'deferred-split',
      rule: 'R14',
      title: 'a folio mapped in part is split by memory pressure',
      why: 'deferred_split_scan',
      program: [...small, munmap(14, 2), splitDeferred],
    },
    {
      name: 'merge-over-a-folio',
      rule: 'R8',
      title: 'VMAs that share a folio merge again',
      why: 'vma_merge over a folio',
      program: [...small, protect(14, 2, RO), protect(14, 2, 3)],
    },
  ]),
  ...pmd([
    {
      name: 'pmd',
      rule: 'R12',
      title: 'a folio mapped by a PMD entry is found',
      why: 'do_huge_pmd_anonymous_page',
      program: huge,
    },
    {
      name: 'pmd-forked',
      rule: 'R7',
      title: 'a PMD entry is shared by a fork',
      why: 'copy_huge_pmd',
      program: [...huge, fork()],
    },
    {
      name: 'pmd-child-writes',
      rule: 'R12',
      title: 'the child copies one page of a folio mapped by PMD',
      why: 'do_huge_pmd_wp_page splits',
      program: [...huge, fork(), write(600, 1)],
    },
    {
      name: 'pmd-hole',
      rule: 'R17',
      title: 'a hole in a folio of PMD size',
      why: '__split_huge_pmd',
      program: [...huge, munmap(600, 3)],
    },
    {
      name: 'pmd-cut',
      rule: 'R17',
      title: 'a cut through a folio of PMD size',
      why: 'vma_adjust_trans_huge',
      program: [...huge, protect(700, 10, RO)],
    },
    {
      name: 'pmd-moved',
      rule: 'R10',
      title: 'a PMD entry moves as a whole',
      why: 'move_huge_pmd',
      program: [...huge, move(512, 512, 2048)],
    },
    {
      name: 'pmd-moved-unaligned',
      rule: 'R10',
      title: 'a folio of PMD size moves to an unaligned place',
      why: 'move_page_tables splits',
      program: [...huge, move(512, 512, 2051)],
    },
    {
      name: 'pmd-moved-in-the-child',
      rule: 'R10',
      title: 'the child moves a shared folio of PMD size',
      why: 'move_huge_pmd after fork',
      program: [...huge, fork(), move(512, 512, 2048, 1)],
    },
    {
      name: 'table-moved',
      rule: 'R10',
      title: 'pages move together with their page table',
      why: 'move_normal_pmd',
      program: [map(512, 512), write(520), write(700), move(512, 512, 2048)],
    },
    {
      name: 'table-moved-shared',
      rule: 'R10',
      title: 'shared pages move together with their page table',
      why: 'move_normal_pmd after fork',
      program: [map(512, 512), write(520), write(700), fork(), move(512, 512, 2048), write(520 + 1536)],
    },
    {
      name: 'pmd-split',
      rule: 'R14',
      title: 'a folio of PMD size is split into single pages',
      why: 'split_huge_page',
      program: [...huge, fork(), splitFolio(512)],
    },
    {
      name: 'pmd-split-unequal',
      rule: 'R14',
      title: 'a folio of PMD size is split only as far as one page needs',
      why: 'folio_split, non-uniform',
      program: [...huge, splitFolio(700, 2, 0, true)],
    },
    {
      name: 'pmd-zapped',
      rule: 'R15',
      title: 'a folio of PMD size that is dropped leaves nothing',
      why: 'zap_huge_pmd',
      program: [...huge, advise(512, 512, MADV_DONTNEED)],
    },
    {
      name: 'pmd-outlives-parent',
      rule: 'R7',
      title: 'a folio of PMD size outlives the parent',
      why: 'exit_mmap',
      program: [...huge, fork(), exit()],
    },
  ]),
  {
    name: 'collapse',
    rule: 'R12',
    needs: ['large-folio', 'collapse'],
    options: HUGE,
    title: 'pages collapsed into one folio are found',
    why: 'collapse_huge_page',
    program: [map(512, 512), write(512), write(700), advise(512, 512, MADV_COLLAPSE)],
  },
  {
    name: 'collapse-then-fork',
    rule: 'R7',
    needs: ['large-folio', 'collapse'],
    options: HUGE,
    title: 'a collapsed folio is shared by a fork',
    why: 'collapse_huge_page, copy_huge_pmd',
    program: [map(512, 512), write(512), advise(512, 512, MADV_COLLAPSE), fork(), write(600, 1)],
  },
  {
    name: 'collapse-shared',
    rule: 'R12',
    needs: ['large-folio', 'collapse'],
    options: HUGE,
    title: 'shared pages collapse into a folio of one process',
    why: 'collapse_huge_page copies',
    program: [map(512, 512), write(512), write(700), fork(), advise(512, 512, MADV_COLLAPSE, 1)],
  },
  {
    name: 'khugepaged',
    rule: 'R12',
    needs: ['large-folio', 'collapse'],
    options: HUGE,
    title: 'a pass of khugepaged',
    why: 'khugepaged_scan_mm_slot',
    program: [map(512, 512), write(512), write(700), advise(512, 512, MADV_HUGEPAGE), khugepaged, fork()],
  },
  {
    name: 'collapse-of-moved',
    rule: 'R12',
    needs: ['large-folio', 'collapse'],
    options: HUGE,
    title: 'pages that had moved collapse',
    why: 'collapse_huge_page keeps the index',
    program: [map(10, 512), write(20), move(10, 512, 1024), advise(1024, 512, MADV_COLLAPSE), fork()],
  },
]);
