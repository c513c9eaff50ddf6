import { MADV_COLLAPSE, type Operation } from '@rmap-lab/core';

/** Pages of the one file that programs map (FILE_PAGES in native/mailbox.h). */
export const FILE_PAGES = 4096;
/** Pages at the beginning of the file that come anew with each program (FRESH_PAGES in native/mailbox.h), as its last two do. */
const FRESH_PAGES = 64;

/**
 * The file as it was, and a process for the program: the ends of the file, or all of it if the program may see more, as KSM tells
 * contents apart that an earlier program left. A collapse makes one folio of pages of the file, so then all of it comes anew, too.
 */
export function fresh(program: readonly Operation[]): readonly string[] {
  let seen = 0;
  let grown = 0;
  let collapses = false;
  for (const operation of program) {
    if (operation.op === 'mmap' && operation.memory.startsWith('file') && operation.offset !== FILE_PAGES - 2)
      seen = Math.max(seen, operation.offset + operation.pages);
    else if (operation.op === 'mremap') grown += operation.newPages;
    else if (operation.op === 'madvise' && operation.advice === MADV_COLLAPSE) collapses = true;
  }
  return [collapses || (seen > 0 && seen + grown > FRESH_PAGES) ? 'A' : 'a', 'f 0 1'];
}
