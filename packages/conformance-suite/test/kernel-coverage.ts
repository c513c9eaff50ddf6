/** What a function of the kernel's tests is about, and the cases that put walks through the same: or why there is none. */
export type Coverage = readonly [what: string, cases: readonly string[] | string];

const NO_PINS = 'not modelled: pages pinned by others (GUP)';
const NO_HUGETLB = 'not modelled: hugetlb, which has a reverse map of its own';
const NOT_ANON = 'not anonymous: found through i_mmap, no part of the contract';
const NOT_RMAP = 'not about what maps a page';
const merge = (...names: string[]): string[] => names.map((name) => `one-address-space/merge/${name}`);
const one = (...names: string[]): string[] => names.map((name) => `one-address-space/${name}`);
const both = (name: string): string[] => merge(name, `${name}-after-a-fork`);

/** Functions of Linux 6.18's tests (and those that came later, so marked), by file. The names are those of the sources. */
export const KERNEL_TESTS: Readonly<Record<string, readonly Coverage[]>> = {
  'tools/testing/vma/vma.c': [
    ['simple_merge', one('merge-between')],
    ['simple_modify', one('split-by-protection')],
    ['simple_expand', one('grow')],
    ['simple_shrink', one('shrink')],
    ['merge_new', [...one('merge-new-after', 'merge-between'), ...merge('new-in-a-row')]],
    ['vma_merge_special_flags', 'not modelled: memory of devices (VM_SPECIAL)'],
    ['vma_merge_with_close, vma_merge_new_with_close', 'not modelled: memory of devices (vm_ops->close)'],
    [
      'merge_existing',
      [
        ...one('merge-three', 'boundary-moves', 'merge-swallows-modified'),
        ...merge('part-to-the-left', 'part-to-the-right', 'middle-alone'),
      ],
    ],
    ['anon_vma_non_mergeable', [...one('merge-between'), ...merge('moved-between'), 'families/child-joins-two']],
    ['dup_anon_vma', merge('untouched-left', 'untouched-right', 'untouched-both', 'moved-before', 'moved-behind')],
    ['vmi_prealloc_fail', ['failure/map-between', 'failure/mprotect-back', 'failure/mprotect-boundary']],
    ['merge_extend', one('grow-into-next')],
    ['copy_vma', one('move', 'move-into-neighbour')],
    ['expand_only_mode', one('brk')],
    ['mmap_region_basic', merge('three-adjacent')],
    ['vma_flags_* (later)', NOT_RMAP],
  ],
  'selftests/mm/merge.c': [
    ['mprotect_unfaulted_left', merge('untouched-left')],
    ['mprotect_unfaulted_right', merge('untouched-right')],
    ['mprotect_unfaulted_both', merge('untouched-both')],
    ['mprotect_faulted_left_unfaulted_right', merge('touched-left')],
    ['mprotect_unfaulted_left_faulted_right', merge('touched-right')],
    ['forked_target_vma', ['families/merge/forked-target']],
    ['forked_source_vma', ['families/merge/forked-source']],
    ['handle_uprobe_upon_merged_vma', 'not modelled: uprobes'],
    ['ksm_merge', ['walkers/ksm/mergeable-neighbours']],
    ['mremap_unfaulted_to_faulted', merge('moved-behind')],
    ['mremap_unfaulted_behind_faulted', merge('moved-before')],
    ['mremap_unfaulted_between_faulted', merge('moved-between')],
    ['mremap_unfaulted_between_faulted_unfaulted', merge('moved-between-touched-and-untouched')],
    ['mremap_unfaulted_between_correctly_placed_faulted', merge('moved-into-a-hole')],
    ['mremap_correct_placed_faulted', merge('put-back', 'put-back-left', 'put-back-between')],
    ['merge_vmas_with_mseal (later)', 'not modelled: mseal'],
    ['anon_and_page_offset_mismatch_memfd (later)', merge('private-file-offsets')],
    ['mremap_faulted_to_unfaulted_prev (later)', both('touched-to-untouched-before')],
    ['mremap_faulted_to_unfaulted_next (later)', both('touched-to-untouched-behind')],
    ['mremap_faulted_to_unfaulted_prev_unfaulted_next (later)', both('kept-between-untouched')],
    ['mremap_faulted_to_unfaulted_prev_faulted_next (later)', both('kept-between-untouched-and-touched')],
  ],
  'selftests/mm/rmap.c': [
    ['migrate.anon', ['walkers/migrate/tree', 'walkers/migrate/tree-moved', 'concurrency/fork-x-migrate']],
    ['migrate.shm, migrate.file', NOT_ANON],
    ['migrate.ksm', ['walkers/migrate/ksm']],
    ['migrate.ksm_and_mremap (later)', ['walkers/migrate/ksm-moved', 'walkers/migrate/ksm-after-move']],
  ],
  'selftests/mm/cow.c': [
    ['test_cow_in_parent', ['families/child-writes', 'families/parent-writes', 'families/both-write']],
    ['test_cow_in_parent_mprotect', ['families/cow-after-mprotect', 'families/cow-after-mprotect-in-the-child']],
    ['the same, swapped out', ['walkers/swap-in/shared', 'walkers/swap-in/fork-between']],
    ['the same, THP by PMD', ['large-folios/pmd-forked', 'large-folios/pmd-child-writes']],
    ['the same, THP by PTE', ['large-folios/pmd-cut', 'large-folios/one-page-copied']],
    ['the same, one PTE of a THP', ['large-folios/parent-keeps-one-page', 'large-folios/one-page-of-a-huge-one']],
    [
      'the same, THP partly moved or shared',
      ['large-folios/half-moved', 'large-folios/half-moved-in-the-child', 'large-folios/pmd-moved-unaligned'],
    ],
    ['test_vmsplice_*, test_iouring_*, test_ro_pin_*, test_ro_fast_pin_*', NO_PINS],
    ['test_anon_thp_collapse_unshared', ['large-folios/collapse-then-fork']],
    ['test_anon_thp_collapse_fully_shared', ['large-folios/collapse-shared']],
    ['test_anon_thp_collapse_lower_shared', ['large-folios/collapse-lower-shared']],
    ['test_anon_thp_collapse_upper_shared', ['large-folios/collapse-upper-shared']],
    ['test_cow on the zero page', one('read-then-write')],
    ['test_cow on the huge zero page', ['large-folios/huge-zero-page']],
    ['test_cow on memfd, tmpfile', [...one('private-file-copy', 'private-file-twice'), 'families/private-file']],
    ['all of them, hugetlb', NO_HUGETLB],
  ],
  'selftests/mm/mremap_test.c': [
    [
      'moves at page, PMD and PUD alignment',
      [
        ...one('move'),
        'large-folios/pmd-moved',
        'large-folios/pmd-moved-unaligned',
        'large-folios/table-moved',
        'large-folios/table-moved-shared',
      ],
    ],
    ['mremap_expand_merge', one('grow-into-next')],
    ['mremap_expand_merge_offset', one('grow-at-an-offset')],
    ['mremap_move_within_range', one('move-next-to-itself')],
    ['mremap_move_1mb_from_start', ['large-folios/pmd-moved-unaligned', 'large-folios/table-moved']],
    ['mremap_move_multiple_vmas', one('move-several', 'move-several-keeping')],
    ['mremap_move_multiple_vmas_split', one('move-several-cut-at-both-ends')],
    ['mremap_shrink_multiple_vmas', one('shrink-over-several')],
    ['mremap_move_multi_invalid_vmas, overlaps, misalignment', NOT_RMAP],
  ],
  'selftests/mm/mremap_dontunmap.c': [
    ['mremap_dontunmap_simple, _simple_fixed', one('move-keeping-the-source')],
    ['mremap_dontunmap_simple_shmem', NOT_ANON],
    ['mremap_dontunmap_partial_mapping', one('move-keeping-a-part')],
    ['mremap_dontunmap_partial_mapping_overwrite', one('move-keeping-over-touched')],
  ],
  'selftests/mm/ksm_functional_tests.c': [
    ['test_unmerge', ['walkers/ksm/unmerge']],
    ['test_unmerge_zero_pages', 'not modelled: use_zero_pages of KSM'],
    ['test_unmerge_discarded', ['walkers/ksm/discarded']],
    ['test_unmerge_uffd_wp', 'not modelled: write-protection by userfaultfd'],
    ['test_prot_none', ['walkers/ksm/no-access']],
    [
      'test_prctl, test_prctl_fork, test_prctl_fork_exec, test_prctl_unmerge, test_fork_ksm_merging_page_count (later)',
      'not modelled: PR_SET_MEMORY_MERGE and its counters; forks of merged pages are walkers/ksm/*',
    ],
  ],
  'selftests/mm/ksm_tests.c': [
    ['check_ksm_merge', ['walkers/ksm/alone']],
    ['check_ksm_unmerge', ['walkers/ksm/unmerge']],
    ['check_ksm_zero_page_merge', 'not modelled: use_zero_pages of KSM'],
    ['check_ksm_numa_merge', 'not modelled: NUMA'],
    ['ksm_merge_time, ksm_merge_hugepages_time, ksm_unmerge_time, ksm_cow_time', NOT_RMAP],
  ],
  'selftests/mm/uffd-unit-tests.c': [
    ['move', ['walkers/uffd-move/alone', 'walkers/uffd-move/moved', 'walkers/uffd-move/between-families']],
    ['move-pmd', ['large-folios/uffd-move-pmd']],
    ['move-pmd-huge-zeropage (later)', 'nothing to find: the huge zero page has no reverse map'],
    ['move-pmd-split', ['large-folios/uffd-move-pmd-split']],
  ],
  'selftests/mm/migration.c': [
    ['private_anon', ['concurrency/fork-x-migrate', 'concurrency/move-x-migrate', 'concurrency/exit-x-migrate']],
    ['private_anon_thp', ['large-folios/pmd-split', 'concurrency/fork-x-split']],
    ['shared_anon, shared_anon_thp', NOT_ANON],
    ['private_anon_htlb, shared_anon_htlb', NO_HUGETLB],
  ],
  'selftests/mm/split_huge_page_test.c': [
    ['split_pmd_thp_to_order', ['large-folios/pmd-split', 'large-folios/pmd-split-unequal']],
    ['split_pte_mapped_thp', ['large-folios/split-after-move', 'large-folios/split-over-a-cut']],
    ['split_pmd_zero_pages', ['large-folios/pmd-split']],
    ['split_file_backed_thp, split_thp_in_pagecache_to_order_at', NOT_ANON],
  ],
  'selftests/mm/guard-regions.c': [
    ['basic', one('guard')],
    ['fork, fork_cow', one('guard-forked')],
    ['split_merge', one('guard-cut-and-merged')],
    ['mremap_move, mremap_expand, mremap_shrink', one('guard-moved')],
    ['the others', NOT_RMAP],
  ],
};
