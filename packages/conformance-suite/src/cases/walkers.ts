import { type Feature, MADV_MERGEABLE, type Operation } from '@rmap-lab/core';
import {
  advise,
  exit,
  fill,
  finishMigrations,
  fork,
  ksmScan,
  ksmUnmerge,
  map,
  migrate,
  move,
  munmap,
  protect,
  RO,
  read,
  reclaim,
  startMigration,
  swapOff,
  uffdMove,
  write,
} from '../operations.js';
import { type ProgramCase, programCases } from '../program-case.js';
import type { RuleId } from '../rules.js';

const FOUR = { thp: { orders: { 2: 'always' } } } as const;

/** Situations of the page at 10; `at` and `by`: where somebody maps it in the end. */
const situations: readonly {
  readonly name: string;
  readonly title: string;
  readonly program: readonly Operation[];
  readonly at: number;
  readonly by: number;
}[] = [
  { name: 'alone', title: 'a page of one process', program: [map(10, 4), write(10)], at: 10, by: 0 },
  { name: 'shared', title: 'a page shared with a child', program: [map(10, 4), write(10), fork()], at: 10, by: 0 },
  {
    name: 'three-generations',
    title: 'a page of three generations',
    program: [map(10, 4), write(10), fork(), fork(1)],
    at: 10,
    by: 2,
  },
  {
    name: 'after-the-parent',
    title: 'a page that outlived its parent',
    program: [map(10, 4), write(10), fork(), exit()],
    at: 10,
    by: 0,
  },
  { name: 'moved', title: 'a page that moved', program: [map(10, 4), write(10), move(10, 4, 40)], at: 40, by: 0 },
  {
    name: 'moved-then-shared',
    title: 'a page that moved before a fork',
    program: [map(10, 4), write(10), move(10, 4, 40), fork()],
    at: 40,
    by: 1,
  },
  {
    name: 'moved-in-the-child',
    title: 'a shared page that the child moved',
    program: [map(10, 4), write(10), fork(), move(10, 4, 40, 1)],
    at: 40,
    by: 1,
  },
  {
    name: 'in-a-part',
    title: 'a page in a part that was cut off',
    program: [map(10, 4), write(10), protect(10, 1, RO), protect(10, 1, 3), protect(11, 1, RO)],
    at: 10,
    by: 0,
  },
  {
    name: 'left-by-the-parent',
    title: 'a page that the parent unmapped',
    program: [map(10, 4), write(10), fork(), munmap(10, 4)],
    at: 10,
    by: 1,
  },
  {
    name: 'copied',
    title: "a child's copy beside the parent's page",
    program: [map(10, 4), write(10), fork(), write(10, 1)],
    at: 10,
    by: 1,
  },
];

/** What follows the reverse map to the page at `at` of process `by`. */
const walkers: readonly {
  readonly name: string;
  readonly title: string;
  readonly rule: RuleId;
  readonly needs: readonly Feature[];
  readonly why: string;
  readonly act: (at: number, by: number) => readonly Operation[];
}[] = [
  {
    name: 'reclaim',
    title: 'is swapped out',
    rule: 'R17',
    needs: ['swap'],
    why: 'try_to_unmap',
    act: (at, by) => [reclaim(at, by)],
  },
  {
    name: 'swap-in',
    title: 'is swapped out and read back by all',
    rule: 'R13',
    needs: ['swap'],
    why: 'do_swap_page, ksm_might_need_to_copy',
    act: (at, by) => [reclaim(at, by), read(at, by), read(at, 0), read(10, 1), write(at, by)],
  },
  {
    name: 'swapoff',
    title: 'is swapped out, forked, and brought back by swapoff',
    rule: 'R13',
    needs: ['swap'],
    why: 'unuse_pte',
    act: (at, by) => [reclaim(at, by), fork(by), swapOff],
  },
  {
    name: 'migrate',
    title: 'is migrated',
    rule: 'R14',
    needs: ['migrate'],
    why: 'migrate_folio_unmap, remove_migration_ptes',
    act: (at, by) => [migrate(at, by), write(at, by)],
  },
  {
    name: 'fork-under-migration',
    title: 'is forked between the halves of its migration',
    rule: 'R23',
    needs: ['migrate'],
    why: 'copy_nonpresent_pte; anon_vma pinned by migrate_folio_unmap',
    act: (at, by) => [startMigration(at, by), fork(by), finishMigrations],
  },
  {
    name: 'move-under-migration',
    title: 'moves between the halves of its migration',
    rule: 'R23',
    needs: ['migrate'],
    why: 'move_ptes of migration entries',
    act: (at, by) => [startMigration(at, by), move(at, 1, 70, by), finishMigrations],
  },
  {
    name: 'unmap-under-migration',
    title: 'is unmapped between the halves of its migration',
    rule: 'R23',
    needs: ['migrate'],
    why: 'zap of migration entries; the pin outlives its VMAs',
    act: (at, by) => [startMigration(at, by), munmap(at, 1, by), finishMigrations],
  },
  {
    name: 'ksm',
    title: 'is merged with an equal one, then forked',
    rule: 'R27',
    needs: ['ksm'],
    why: 'stable_tree_append, rmap_walk_ksm',
    act: (at, by) => [
      fill(at, 7, by),
      map(80, 1, { process: by }),
      fill(80, 7, by),
      advise(at, 1, MADV_MERGEABLE, by),
      advise(80, 1, MADV_MERGEABLE, by),
      ksmScan,
      fork(by),
      write(80, by),
    ],
  },
  {
    name: 'uffd-move',
    title: 'is moved by UFFDIO_MOVE, then forked',
    rule: 'R12',
    needs: ['uffd-move'],
    why: 'move_present_ptes, folio_move_anon_rmap',
    act: (at, by) => [map(80, 1, { process: by }), uffdMove(at, 80, 1, by), fork(by)],
  },
];

const matrix: ProgramCase[] = situations.flatMap((situation) =>
  walkers.map((walker) => ({
    name: `${walker.name}/${situation.name}`,
    rule: walker.rule,
    needs: walker.needs,
    title: `${situation.title} ${walker.title}`,
    why: walker.why,
    program: [...situation.program, ...walker.act(situation.at, situation.by)],
  })),
);

const single: readonly ProgramCase[] = [
  {
    name: 'ksm/unmerge',
    rule: 'R27',
    needs: ['ksm'],
    title: 'merged pages are given back as copies',
    why: 'unmerge_and_remove_all_rmap_items',
    program: [map(10, 2), fill(10, 7), fill(11, 7), advise(10, 2, MADV_MERGEABLE), ksmScan, fork(), ksmUnmerge],
  },
  {
    name: 'ksm/split-afterwards',
    rule: 'R27',
    needs: ['ksm'],
    title: 'a VMA with merged pages is cut and moved',
    why: 'rmap items name an anon_vma, not a VMA',
    program: [
      map(10, 4),
      fill(10, 7),
      fill(13, 7),
      advise(10, 4, MADV_MERGEABLE),
      ksmScan,
      fork(),
      protect(12, 2, RO),
      write(11),
      move(12, 2, 40, 1),
    ],
  },
  {
    name: 'uffd-move/between-families',
    rule: 'R12',
    needs: ['uffd-move'],
    title: 'a page moves from inherited memory into memory of its own',
    why: 'move_present_ptes rewrites mapping and index',
    program: [map(10, 2), write(10), fork(), write(10, 1), map(80, 1, { process: 1 }), uffdMove(10, 80, 1, 1), fork(1)],
  },
  {
    name: 'swap-in/fork-between',
    rule: 'R13',
    needs: ['swap'],
    title: 'a page swapped out before a fork, read first by the child',
    why: 'a swap-in that others may share',
    program: [map(10, 1), write(10), reclaim(10), fork(), read(10, 1), read(10), write(10, 1)],
  },
  {
    name: 'swap-in/move-between',
    rule: 'R13',
    needs: ['swap'],
    title: 'a page in the swap cache whose place moved meanwhile',
    why: 'the index of a cached page no longer fits',
    program: [map(10, 1), write(10), fork(), reclaim(10), read(10, 1), move(10, 1, 40), read(40)],
  },
  {
    name: 'migrate/large-cut',
    rule: 'R14',
    needs: ['large-folio', 'migrate'],
    options: FOUR,
    title: 'a shared folio of four pages that lies over cuts is migrated',
    why: 'remove_migration_ptes looks for all offsets of the folio, in VMAs that have some of them',
    program: [map(4, 12), write(8), protect(9, 1, RO), fork(), migrate(8)],
  },
  {
    name: 'migrate/large-half-moved',
    rule: 'R23',
    needs: ['large-folio', 'migrate'],
    options: FOUR,
    title: 'half of a folio moves between the halves of its migration',
    why: 'move_ptes of migration entries; the pin stands for all pages of the folio',
    program: [map(8, 4), write(8), fork(), startMigration(8), move(10, 2, 40, 1), fork(1), finishMigrations],
  },
  {
    name: 'reclaim/large-half-moved',
    rule: 'R17',
    needs: ['large-folio', 'swap'],
    options: FOUR,
    title: 'a folio of which half moved is swapped out and read back',
    why: 'try_to_unmap at two distances',
    program: [map(8, 4), write(8), move(10, 2, 40), fork(), reclaim(8), read(8), read(40, 1), write(41)],
  },
  {
    name: 'migrate/twice-with-a-fork',
    rule: 'R23',
    needs: ['migrate'],
    title: 'a page is migrated again after its first migration was forked',
    why: 'remove_migration_ptes finds the target by the same anchor',
    program: [map(10, 1), write(10), startMigration(10), fork(), finishMigrations, migrate(10, 1), fork(1), migrate(10)],
  },
];

/** What follows the reverse map: each walker in each situation. */
export const walkerCases = programCases('walkers', [...matrix, ...single]);
