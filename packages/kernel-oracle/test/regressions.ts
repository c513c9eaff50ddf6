import type { Operation } from '@rmap-lab/core';
import * as linux from '@rmap-lab/core';

const RW = linux.PROT_READ | linux.PROT_WRITE;

/** Shrunk programs that once showed a difference between model and kernel, by what was wrong in the model. */
export const programs: Readonly<Record<string, readonly Operation[]>> = {
  'MADV_POPULATE_READ reports a hole behind what it populated': [
    { op: 'mmap', process: 0, at: 12, pages: 2, prot: RW, memory: 'private', flags: 0, offset: 12 },
    { op: 'madvise', process: 0, at: 13, pages: 5, advice: linux.MADV_POPULATE_READ },
  ],
  'MADV_POPULATE_WRITE of read-only memory is EINVAL, of a guard page EFAULT': [
    { op: 'mmap', process: 0, at: 0, pages: 2, prot: linux.PROT_READ, memory: 'private', flags: 0, offset: 0 },
    { op: 'mmap', process: 0, at: 4, pages: 2, prot: RW, memory: 'private', flags: 0, offset: 0 },
    { op: 'madvise', process: 0, at: 0, pages: 2, advice: linux.MADV_POPULATE_WRITE },
    { op: 'madvise', process: 0, at: 5, pages: 1, advice: linux.MADV_GUARD_INSTALL },
    { op: 'madvise', process: 0, at: 4, pages: 2, advice: linux.MADV_POPULATE_WRITE },
  ],
  'mprotect copies locked memory that becomes writable, also when it fails further on': [
    { op: 'mmap', process: 0, at: 11, pages: 2, prot: linux.PROT_READ, memory: 'file-private', flags: 0, offset: 11 },
    { op: 'mlock', process: 0, at: 11, pages: 4 },
    { op: 'mprotect', process: 0, at: 12, pages: 4, prot: RW },
  ],
  'a merge inherits the guard flag from those that it joins, not from a VMA that lies apart': [
    { op: 'mmap', process: 0, at: 17, pages: 6, prot: RW, memory: 'private', flags: 0, offset: 9 },
    { op: 'mmap', process: 0, at: 13, pages: 1, prot: RW, memory: 'private', flags: 0, offset: 13 },
    { op: 'mmap', process: 0, at: 2, pages: 5, prot: RW, memory: 'file-private', flags: 0, offset: 3 },
    { op: 'madvise', process: 0, at: 6, pages: 2, advice: linux.MADV_GUARD_INSTALL },
    { op: 'mremap', process: 0, at: 19, pages: 2, newPages: 1, to: 12, dontUnmap: false },
  ],
  'MADV_FREE lets go of what is in swap': [
    { op: 'mmap', process: 0, at: 11, pages: 6, prot: RW, memory: 'private', flags: 0, offset: 11 },
    { op: 'write', process: 0, at: 16 },
    { op: 'madvise', process: 0, at: 16, pages: 2, advice: linux.MADV_PAGEOUT },
    { op: 'madvise', process: 0, at: 15, pages: 2, advice: linux.MADV_FREE },
  ],
  'a stack that may not grow as far has an anon_vma by then': [
    {
      op: 'mmap',
      process: 1,
      at: 2176,
      pages: 256,
      prot: linux.PROT_NONE,
      memory: 'private',
      flags: linux.MAP_GROWSDOWN,
      offset: 11,
    },
    { op: 'write', process: 1, at: 18 },
  ],
  'KSM merges all places of a forked page that has an equal': [
    { op: 'mmap', process: 0, at: 2, pages: 5, prot: 7, memory: 'private', flags: 0, offset: 6 },
    { op: 'fill', process: 0, at: 3, pattern: 2 },
    { op: 'mmap', process: 0, at: 13, pages: 6, prot: RW, memory: 'private', flags: linux.MAP_GROWSDOWN, offset: 11 },
    { op: 'madvise', process: 0, at: 2, pages: 4, advice: linux.MADV_MERGEABLE },
    { op: 'fill', process: 0, at: 14, pattern: 2 },
    { op: 'madvise', process: 0, at: 9, pages: 6, advice: linux.MADV_MERGEABLE },
    { op: 'fork', process: 0 },
    { op: 'write', process: 0, at: 14 },
    { op: 'ksmScan', process: 0 },
  ],
  'KSM lets go of the pin of a place that a scan does not meet again': [
    { op: 'mmap', process: 0, at: 10, pages: 7, prot: RW, memory: 'private', flags: 0, offset: 6 },
    { op: 'madvise', process: 0, at: 10, pages: 7, advice: linux.MADV_MERGEABLE },
    { op: 'fill', process: 0, at: 10, pattern: 2 },
    { op: 'fill', process: 0, at: 16, pattern: 2 },
    { op: 'ksmScan', process: 0 },
    { op: 'munmap', process: 0, at: 16, pages: 1 },
    { op: 'ksmScan', process: 0 },
  ],
  'populated pages keep the contents of the file, or zeros': [
    { op: 'mmap', process: 0, at: 0, pages: 2, prot: RW, memory: 'file-private', flags: linux.MAP_POPULATE, offset: 3 },
    { op: 'mmap', process: 0, at: 4, pages: 2, prot: RW, memory: 'file-private', flags: 0, offset: 3 },
    { op: 'mmap', process: 0, at: 8, pages: 2, prot: RW, memory: 'private', flags: linux.MAP_POPULATE, offset: 8 },
    { op: 'madvise', process: 0, at: 4, pages: 2, advice: linux.MADV_POPULATE_WRITE },
    { op: 'madvise', process: 0, at: 0, pages: 10, advice: linux.MADV_MERGEABLE },
    { op: 'ksmScan', process: 0 },
  ],
  'ksmUnmerge gives nothing back to memory that is not mergeable': [
    { op: 'mmap', process: 0, at: 16, pages: 4, prot: RW, memory: 'private', flags: linux.MAP_POPULATE, offset: 16 },
    { op: 'fork', process: 0 },
    { op: 'madvise', process: 1, at: 17, pages: 2, advice: linux.MADV_MERGEABLE },
    { op: 'ksmScan', process: 0 },
    { op: 'ksmUnmerge', process: 1 },
    { op: 'ksmScan', process: 0 },
  ],
  'mprotect that changes no protection leaves VM_ACCOUNT alone': [
    { op: 'mmap', process: 0, at: 2, pages: 6, prot: RW, memory: 'private', flags: 0, offset: 1 },
    { op: 'write', process: 0, at: 3 },
    { op: 'mprotect', process: 0, at: 3, pages: 3, prot: linux.PROT_NONE },
    { op: 'mremap', process: 0, at: 3, pages: 3, newPages: 3, to: 10, dontUnmap: true },
    { op: 'mprotect', process: 0, at: 3, pages: 5, prot: linux.PROT_NONE },
  ],
  'a split maps the zero page where it leaves zeros': [
    { op: 'mmap', process: 0, at: 512, pages: 1024, prot: RW, memory: 'private', flags: 0, offset: 4 },
    { op: 'madvise', process: 0, at: 512, pages: 1024, advice: linux.MADV_HUGEPAGE },
    { op: 'write', process: 0, at: 600 },
    { op: 'madvise', process: 0, at: 700, pages: 10, advice: linux.MADV_FREE },
  ],
  'MADV_COLLAPSE of memory of files': [
    { op: 'mmap', process: 0, at: 512, pages: 512, prot: RW, memory: 'shared', flags: 0, offset: 0 },
    { op: 'madvise', process: 0, at: 512, pages: 512, advice: linux.MADV_COLLAPSE },
    { op: 'write', process: 0, at: 512 },
    { op: 'madvise', process: 0, at: 512, pages: 512, advice: linux.MADV_COLLAPSE },
    { op: 'mmap', process: 0, at: 2048, pages: 512, prot: RW, memory: 'file-private', flags: 0, offset: 0 },
    { op: 'madvise', process: 0, at: 2048, pages: 512, advice: linux.MADV_COLLAPSE },
    { op: 'write', process: 0, at: 2048 },
    { op: 'madvise', process: 0, at: 2048, pages: 512, advice: linux.MADV_COLLAPSE },
    { op: 'madvise', process: 0, at: 512, pages: 100, advice: linux.MADV_COLLAPSE },
  ],
  'MADV_FREE asks who else maps a page only if it is known to be dirty': [
    { op: 'mmap', process: 0, at: 14, pages: 5, prot: RW, memory: 'private', flags: linux.MAP_POPULATE, offset: 4 },
    { op: 'fork', process: 0 },
    { op: 'madvise', process: 1, at: 18, pages: 1, advice: linux.MADV_FREE },
    { op: 'munmap', process: 0, at: 17, pages: 2 },
    { op: 'madvise', process: 1, at: 16, pages: 3, advice: linux.MADV_PAGEOUT },
  ],
  'UFFDIO_MOVE leaves a page as clean as it was': [
    { op: 'mmap', process: 0, at: 1, pages: 6, prot: RW, memory: 'private', flags: linux.MAP_POPULATE, offset: 7 },
    { op: 'mmap', process: 0, at: 14, pages: 4, prot: RW, memory: 'private', flags: 0, offset: 7 },
    { op: 'madvise', process: 0, at: 1, pages: 6, advice: linux.MADV_FREE },
    { op: 'uffdMove', process: 0, to: 14, from: 4, pages: 3 },
    { op: 'madvise', process: 0, at: 15, pages: 1, advice: linux.MADV_PAGEOUT },
  ],
};
