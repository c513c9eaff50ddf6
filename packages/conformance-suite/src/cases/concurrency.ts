import type { Feature } from '@rmap-lab/core';
import { scenarioNamed } from '@rmap-lab/explorer';
import type { RuleId } from '../rules.js';
import { type ScenarioCase, scenarioCases } from '../scenario-case.js';

/** What changes address spaces, and in which kernel function; `rules` by walker where it is about another than the walker's. */
const changes: readonly {
  readonly name: string;
  readonly title: string;
  readonly why: string;
  readonly rules: Readonly<Record<string, RuleId>>;
}[] = [
  { name: 'fork', title: 'a fork', why: 'dup_mmap', rules: { walk: 'R7', referenced: 'R9', reclaim: 'R29' } },
  { name: 'fork-child', title: "a child's fork", why: 'dup_mmap', rules: { walk: 'R7', referenced: 'R9', reclaim: 'R29' } },
  { name: 'move', title: 'a move', why: 'move_ptes', rules: { walk: 'R10', referenced: 'R10', reclaim: 'R10' } },
  {
    name: 'move-and-back',
    title: 'a move away and back',
    why: 'move_ptes, need_rmap_locks',
    rules: { walk: 'R10', referenced: 'R10', reclaim: 'R10' },
  },
  { name: 'munmap', title: 'an unmapping', why: 'free_pgtables', rules: { walk: 'R20', referenced: 'R20', reclaim: 'R20' } },
  {
    name: 'munmap-child',
    title: "a child's unmapping",
    why: 'unlink_anon_vmas before free_pgd_range',
    rules: { walk: 'R20', referenced: 'R4', reclaim: 'R20' },
  },
  {
    name: 'mprotect-split',
    title: 'a split',
    why: '__split_vma, vma_prepare',
    rules: { walk: 'R8', referenced: 'R6', reclaim: 'R29' },
  },
  {
    name: 'mprotect-split-and-merge',
    title: 'a split and a merge',
    why: 'vma_prepare .. vma_complete',
    rules: { walk: 'R8', referenced: 'R8', reclaim: 'R29' },
  },
  { name: 'write', title: 'a copy on write', why: 'wp_page_copy', rules: { walk: 'R16', referenced: 'R16' } },
  { name: 'write-child', title: "a child's copy on write", why: 'wp_page_copy', rules: { referenced: 'R16' } },
  {
    name: 'dontneed-and-write',
    title: 'dropped and touched again',
    why: 'zap_page_range_single, do_anonymous_page',
    rules: { walk: 'R31', referenced: 'R31' },
  },
  { name: 'swap-in', title: 'a swap-in', why: 'do_swap_page', rules: { referenced: 'R25' } },
  { name: 'exit', title: 'an exit', why: 'exit_mmap', rules: { walk: 'R31', referenced: 'R30', reclaim: 'R31' } },
  { name: 'exit-child', title: "a child's exit", why: 'exit_mmap', rules: { walk: 'R30', referenced: 'R30', reclaim: 'R31' } },
  { name: 'exec', title: 'an exec', why: 'exec_mmap, relocate_vma_down', rules: { walk: 'R19', referenced: 'R31' } },
];

/** What follows the reverse map meanwhile. */
const walkers: readonly {
  readonly name: string;
  readonly title: string;
  readonly why: string;
  readonly rule: RuleId;
  readonly needs?: readonly Feature[];
}[] = [
  { name: 'walk', title: 'a walk', why: 'rmap_walk_anon', rule: 'R18' },
  { name: 'referenced', title: 'a walk that may not wait', why: 'folio_referenced, try_lock', rule: 'R25' },
  { name: 'reclaim', title: 'page-out', why: 'try_to_unmap', rule: 'R22', needs: ['swap'] },
  { name: 'migrate', title: 'migration', why: 'remove_migration_ptes', rule: 'R23', needs: ['migrate'] },
  { name: 'ksm', title: 'KSM', why: 'rmap_walk_ksm', rule: 'R27', needs: ['ksm'] },
  { name: 'uffd', title: 'UFFDIO_MOVE', why: 'move_present_ptes', rule: 'R24', needs: ['uffd-move'] },
  { name: 'reuse', title: 'a write by the last user', why: 'folio_move_anon_rmap', rule: 'R26' },
  { name: 'split', title: 'a folio split', why: '__folio_split', rule: 'R24', needs: ['large-folio', 'folio-split'] },
  { name: 'collapse', title: 'collapse', why: 'collapse_huge_page', rule: 'R24', needs: ['large-folio', 'collapse'] },
];

const pairs: readonly ScenarioCase[] = changes.flatMap((change) =>
  walkers.map(({ name, title, why, rule, needs = [] }) => ({
    scenario: scenarioNamed(`${change.name}-x-${name}`),
    rule: change.rules[name] ?? rule,
    needs: change.name === 'swap-in' && !needs.includes('swap') ? [...needs, 'swap' as const] : needs,
    title: `${change.title} while ${title} is under way`,
    why: `${change.why}; ${why}`,
  })),
);

/** What changes the address space of a process that never forked, and in which kernel function; `rule`: what a walk beside it is about. */
const loneChanges: readonly { readonly name: string; readonly title: string; readonly why: string; readonly rule: RuleId }[] = [
  { name: 'fork', title: 'a first fork', why: 'dup_mmap, anon_vma_fork', rule: 'R7' },
  { name: 'move', title: 'a first move', why: 'move_ptes', rule: 'R10' },
  { name: 'move-and-back', title: 'a first move, and one back', why: 'move_ptes, need_rmap_locks', rule: 'R10' },
  { name: 'move-dontunmap', title: 'a move that keeps its source', why: 'MREMAP_DONTUNMAP, unlink_anon_vmas', rule: 'R10' },
  { name: 'munmap', title: "an unmapping of a lone process's page", why: 'free_pgtables', rule: 'R20' },
  { name: 'munmap-front', title: 'an unmapping of the front of a VMA', why: '__split_vma, free_pgtables', rule: 'R8' },
  { name: 'mprotect-split', title: 'a cut before the page', why: '__split_vma, vma_prepare', rule: 'R8' },
  { name: 'merge', title: 'a merge with an untouched neighbour before it', why: 'vma_merge, vma_prepare', rule: 'R8' },
  { name: 'stack-growth', title: 'a stack that grows', why: 'expand_downwards', rule: 'R8' },
  { name: 'mlock', title: 'an mlock', why: 'mlock_fixup', rule: 'R8' },
  { name: 'exit', title: 'an exit of a lone process', why: 'exit_mmap, free_pgtables', rule: 'R20' },
];

/** A process that never forked is where a design may have done less so far than for a family. */
const lone: readonly ScenarioCase[] = loneChanges.flatMap((change) =>
  walkers
    .filter(({ name }) => ['walk', 'referenced', 'reclaim', 'migrate', 'split'].includes(name))
    .map(({ name, title, why, rule, needs = [] }) => ({
      scenario: scenarioNamed(`lone-${change.name}-x-${name}`),
      rule: name === 'walk' ? change.rule : rule,
      needs,
      title: `${change.title} while ${title} is under way`,
      why: `${change.why}; ${why}`,
    })),
);

const others: readonly ScenarioCase[] = [
  {
    scenario: scenarioNamed('first-faults'),
    rule: 'R5',
    title: 'two first faults of one VMA at once',
    why: '__anon_vma_prepare looks again under the page-table lock',
  },
  {
    scenario: scenarioNamed('fault-x-fork'),
    rule: 'R5',
    title: 'a first fault while the VMA is forked',
    why: 'dup_mmap write-locks each VMA',
  },
  {
    scenario: scenarioNamed('both-write'),
    rule: 'R28',
    title: 'both owners of a shared page write to it at once',
    why: 'wp_can_reuse_anon_folio',
  },
  {
    scenario: scenarioNamed('migrate-x-fork-x-move'),
    rule: 'R23',
    needs: ['migrate'],
    title: 'a page is migrated, forked and moved at once',
    why: 'migration entries that fork copies and mremap moves',
  },
  {
    scenario: scenarioNamed('migrate-x-exit-x-exit'),
    rule: 'R15',
    needs: ['migrate'],
    title: 'all owners of a page exit while it is migrated',
    why: 'the pin of migrate_folio_unmap is the last reference',
  },
  {
    scenario: scenarioNamed('reclaim-x-fork-x-write'),
    rule: 'R22',
    needs: ['swap'],
    title: 'a page is paged out, forked and written at once',
    why: 'try_to_unmap against dup_mmap and wp_page_copy',
  },
  {
    scenario: scenarioNamed('walk-x-exit-x-fork'),
    rule: 'R18',
    title: 'a walk while one owner exits and another forks',
    why: 'unlink_anon_vmas and anon_vma_fork during rmap_walk_anon',
  },
  {
    scenario: scenarioNamed('walk-x-munmap-x-write'),
    rule: 'R20',
    title: 'a walk while one owner unmaps and another writes',
    why: 'free_pgtables during rmap_walk_anon',
  },
];

/** Scenarios with a world of their own, most after a bug that the kernel had: where each stems from, and what it needs. */
const special: readonly (readonly [name: string, why: string, needs?: readonly Feature[]])[] = [
  ['first-faults-of-neighbours', 'reusable_anon_vma while the neighbour is prepared'],
  ['first-fault-x-munmap-of-neighbour', '657b5146955e: find_mergeable_anon_vma needs mmap_lock'],
  ['first-fault-x-walk-of-freed', "d9d332e0874f: an anon_vma's memory may have had another name"],
  ['line-of-forks', '2555283eb40d: one count of children and of VMAs'],
  ['collapse-x-walk', 'collapse_huge_page takes the rmap lock before it withdraws the table', ['large-folio', 'collapse']],
  [
    'collapse-x-migrate',
    'collapse_huge_page takes the rmap lock before it withdraws the table',
    ['large-folio', 'collapse', 'migrate'],
  ],
  ['huge-move-and-back-x-walk', 'dd18dbc2d42a: move_huge_pmd under the rmap lock', ['large-folio']],
  ['huge-move-and-back-x-migrate', 'dd18dbc2d42a: move_huge_pmd under the rmap lock', ['large-folio', 'migrate']],
  ['exec-shift-x-compact', 'a8bef8ff6ea1: migration leaves temporary stacks alone', ['migrate']],
  ['exec-shift-x-shrink', 'a8bef8ff6ea1: try_to_unmap leaves temporary stacks alone', ['swap']],
  ['exec-shift-x-age', 'a8bef8ff6ea1: a temporary stack may be missed, and nothing invented'],
  ['below-split-x-walk', '012f18004da3: the lock of the root is that of the whole family'],
  ['own-split-x-walk', '__split_vma, vma_prepare: the page of a child that never forked'],
  ['below-exit-x-migrate', '012f18004da3: the lock of the root is that of the whole family', ['migrate']],
  ['walk-x-exit-and-strangers-fork', 'f18194275c39, eee0f252c653: memory of an anon_vma may have got another root'],
  ['uffd-move-x-walk', '880a99b60d46: who has locked looks at the mapping again', ['uffd-move']],
  ['uffd-move-x-referenced', '880a99b60d46: who has locked looks at the mapping again', ['uffd-move']],
  ['lone-uffd-move-x-walk', '880a99b60d46, where nobody ever forked', ['uffd-move']],
  ['lone-uffd-move-x-referenced', '880a99b60d46, where nobody ever forked', ['uffd-move']],
  ['ksm-x-exit-x-exit', '76545066c852: what KSM remembers holds the root', ['ksm']],
  ['cut-fork-x-migrate', 'dup_mmap copies migration entries of each VMA', ['migrate']],
  ['cut-move-x-migrate', 'move_ptes takes migration entries along', ['migrate']],
  ['fork-and-walk-x-split', '__folio_split keeps walks out by the anon_vma lock', ['large-folio', 'folio-split']],
  [
    'half-moves-home-x-walk',
    'move_ptes: a walk that has been in a VMA may miss what comes there; rmap_walk_anon',
    ['large-folio'],
  ],
  ['reuse-and-uffd-move-x-walk', 'folio_move_anon_rmap while a walk is on its way; move_present_ptes', ['uffd-move']],
  ['first-faults-x-ksm-and-fork', '__anon_vma_prepare looks again under the page-table lock; break_ksm, anon_vma_fork', ['ksm']],
  [
    'cut-and-munmap-x-walk-x-migrate',
    'anon_vma_free waits for who has locked: folio_lock_anon_vma_read gave its reference back',
    ['migrate'],
  ],
  ['exit-of-empty-x-walk', 'exit_mmap, __mmdrop: no VMA is left to be unlinked'],
  ['fork-x-exit-of-child', 'num_children changes under the lock of the root: anon_vma_fork, unlink_anon_vmas'],
  ['fork-child-x-exit-of-sibling', 'num_children changes under the lock of the root: anon_vma_fork, unlink_anon_vmas'],
];

/** Walks of pages of KSM. */
const ofKsm: typeof special = [
  ['fork-x-walk-of-ksm', 'rmap_walk_ksm goes by the anon_vma of each item, forks since included; anon_vma_fork', ['ksm']],
  ['munmap-x-walk-of-ksm', 'rmap_walk_ksm locks the anon_vma of each item; free_pgtables', ['ksm']],
  ['move-and-back-x-walk-of-ksm', 'rmap_walk_ksm locks the anon_vma of each item; move_ptes, need_rmap_locks', ['ksm']],
  ['lone-munmap-x-walk-of-ksm', 'rmap_walk_ksm, free_pgtables: a family of one', ['ksm']],
  ['unmerge-x-walk-of-ksm', 'unmerge_ksm_pages, break_ksm during rmap_walk_ksm', ['ksm']],
  ['write-x-walk-of-ksm', 'wp_page_copy of a page of KSM during rmap_walk_ksm', ['ksm']],
  ['exit-x-walk-of-ksm', 'exit_mmap: what KSM remembers holds the anon_vma; get_anon_vma, rmap_walk_ksm', ['ksm']],
];

const described = (scenarios: typeof special): readonly ScenarioCase[] =>
  scenarios.map(([name, why, needs = []]) => {
    const scenario = scenarioNamed(name);
    return { scenario, rule: scenario.rules[0] as RuleId, needs, title: scenario.description, why };
  });

/** As many schedules as a third of all others have. */
const LONGEST = ['migrate-x-fork-x-move', 'cut-and-munmap-x-walk-x-migrate'];
const isLongest = ({ scenario }: ScenarioCase): boolean => LONGEST.includes(scenario.name);

/** What was made to show a bug goes first: a broken design is to know soon. */
const all: readonly ScenarioCase[] = [...described(special), ...others, ...pairs, ...lone, ...described(ofKsm)];

/** Operations at the same time, in every schedule with up to two preemptions, or in every interleaving. */
export const concurrency = scenarioCases([...all.filter((each) => !isLongest(each)), ...all.filter(isLongest)]);
