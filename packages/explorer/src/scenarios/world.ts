import type { Operation, ThpOptions } from '@rmap-lab/core';
import { MADV_MERGEABLE, PROT_READ, PROT_WRITE } from '@rmap-lab/core';

/** Processes of most scenarios by number: a parent, its child, and, where something must happen beside it, a thread of the parent. */
export const PARENT = 0;
export const CHILD = 1;
export const THREAD = 2;

/** Pages where something is moved to, beyond the reach of a huge page around the others. */
export const AWAY = 1030;
export const FAR = 1050;

/** Large folios of four pages wherever they fit. */
export const FOUR_PAGES: Partial<ThpOptions> = { orders: { 2: 'always' } };

/** Maps pages [from, to) readable and writable. */
export const map = (process: number, from: number, to: number): Operation => ({
  op: 'mmap',
  process,
  at: from,
  pages: to - from,
  prot: PROT_READ | PROT_WRITE,
  flags: 0,
  memory: 'private',
  offset: 0,
});

/** Moves `pages` pages. */
export const move = (process: number, at: number, to: number, pages: number, dontUnmap = false): Operation => ({
  op: 'mremap',
  process,
  at,
  pages,
  newPages: pages,
  to,
  dontUnmap,
});

export const protect = (process: number, at: number, pages: number, prot: number): Operation => ({
  op: 'mprotect',
  process,
  at,
  pages,
  prot,
});

export const advise = (process: number, at: number, pages: number, advice: number): Operation => ({
  op: 'madvise',
  process,
  at,
  pages,
  advice,
});

export const unmap = (process: number, at: number, pages: number): Operation => ({ op: 'munmap', process, at, pages });

/** An operation about one page. */
export const page = <K extends 'read' | 'write' | 'reclaim' | 'migrate' | 'startMigration' | 'walk' | 'referenced'>(
  op: K,
  process: number,
  at: number,
): { op: K; process: number; at: number } => ({ op, process, at });

/** An operation about a process as a whole, or about everything. */
export const whole = <K extends 'fork' | 'thread' | 'exit' | 'exec' | 'ksmScan' | 'migrateAll' | 'reclaimAll' | 'referencedAll'>(
  op: K,
  process = PARENT,
): { op: K; process: number } => ({ op, process });

/** A parent and a child that share page 10 since a fork; the parent alone has page 11. Page 9 is never touched: what comes back to 10 merges with it, from behind. */
export const family = (from = 9, to = 12): readonly Operation[] => [
  map(PARENT, from, to),
  page('write', PARENT, 10),
  whole('fork'),
  page('write', PARENT, 11),
];

/** Equal contents in the parent's page 11 and a page of the child, where KSM may look for them. */
export const mergeable: readonly Operation[] = [
  { op: 'fill', process: PARENT, at: 11, pattern: 7 },
  map(CHILD, 20, 21),
  { op: 'fill', process: CHILD, at: 20, pattern: 7 },
  advise(PARENT, 10, 2, MADV_MERGEABLE),
  advise(CHILD, 20, 1, MADV_MERGEABLE),
];
