import type { Operation } from '@rmap-lab/core';
import * as linux from '@rmap-lab/core';

const RW = linux.PROT_READ | linux.PROT_WRITE;
export const RO = linux.PROT_READ;

/** Operations in short, for programs; `process` counts the living, oldest first. */
export const map = (
  at: number,
  pages: number,
  { process = 0, prot = RW, memory = 'private', offset = 0, flags = 0 }: Partial<Extract<Operation, { op: 'mmap' }>> = {},
): Operation => ({ op: 'mmap', process, at, pages, prot, flags, memory, offset });
export const munmap = (at: number, pages: number, process = 0): Operation => ({ op: 'munmap', process, at, pages });
export const lock = (at: number, pages: number, process = 0): Operation => ({ op: 'mlock', process, at, pages });
export const protect = (at: number, pages: number, prot: number, process = 0): Operation => ({
  op: 'mprotect',
  process,
  at,
  pages,
  prot,
});
export const advise = (at: number, pages: number, advice: number, process = 0): Operation => ({
  op: 'madvise',
  process,
  at,
  pages,
  advice,
});
export const write = (at: number, process = 0): Operation => ({ op: 'write', process, at });
export const read = (at: number, process = 0): Operation => ({ op: 'read', process, at });
export const fill = (at: number, pattern: number, process = 0): Operation => ({ op: 'fill', process, at, pattern });
export const fork = (process = 0): Operation => ({ op: 'fork', process });
export const exit = (process = 0): Operation => ({ op: 'exit', process });
export const exec = (process = 0): Operation => ({ op: 'exec', process });
export const move = (at: number, pages: number, to: number, process = 0, newPages = pages): Operation => ({
  op: 'mremap',
  process,
  at,
  pages,
  newPages,
  to,
  dontUnmap: false,
});
export const moveKeeping = (at: number, pages: number, to: number, process = 0): Operation => ({
  op: 'mremap',
  process,
  at,
  pages,
  newPages: pages,
  to,
  dontUnmap: true,
});
export const resize = (at: number, pages: number, newPages: number, process = 0): Operation => ({
  op: 'mremap',
  process,
  at,
  pages,
  newPages,
  to: null,
  dontUnmap: false,
});
export const brk = (pages: number, process = 0): Operation => ({ op: 'brk', process, pages });
export const reclaim = (at: number, process = 0): Operation => ({ op: 'reclaim', process, at });
export const migrate = (at: number, process = 0): Operation => ({ op: 'migrate', process, at });
export const startMigration = (at: number, process = 0): Operation => ({ op: 'startMigration', process, at });
export const finishMigrations: Operation = { op: 'finishMigrations', process: 0 };
export const ksmScan: Operation = { op: 'ksmScan', process: 0 };
export const ksmUnmerge: Operation = { op: 'ksmUnmerge', process: 0 };
export const khugepaged: Operation = { op: 'khugepagedScan', process: 0 };
export const splitDeferred: Operation = { op: 'splitDeferred', process: 0 };
export const swapOff: Operation = { op: 'swapOff', process: 0 };
export const splitFolio = (at: number, order = 0, process = 0, unequal = false): Operation => ({
  op: 'splitFolio',
  process,
  at,
  order,
  unequal,
});
export const uffdMove = (from: number, to: number, pages = 1, process = 0): Operation => ({
  op: 'uffdMove',
  process,
  to,
  from,
  pages,
});
