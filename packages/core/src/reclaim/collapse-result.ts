/** What became of 512 pages: collapsed, or mapped as a whole already; or why not. */
export type Collapse = 'done' | Failure;

/** Why not, as an errno, and whether the rest of the range is left alone then. */
export interface Failure {
  readonly errno: 'EAGAIN' | 'EBUSY' | 'EINVAL';
  readonly ends: boolean;
}

/** Somebody refers to a page (SCAN_PAGE_COUNT, SCAN_PAGE_LOCK). */
export const IN_USE: Failure = { errno: 'EAGAIN', ends: false };
/** SCAN_PMD_NULL, SCAN_PTE_NON_PRESENT */
export const NOT_PRESENT: Failure = { errno: 'EINVAL', ends: false };
/** Everything that won't go away (SCAN_FAIL, SCAN_PMD_NONE). */
export const UNFIT: Failure = { errno: 'EINVAL', ends: true };
/** A userfaultfd gets the faults of pages that are missing, so none may be made up (SCAN_EXCEED_NONE_PTE). */
export const AWAITED: Failure = { errno: 'EBUSY', ends: true };
