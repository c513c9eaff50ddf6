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
};
