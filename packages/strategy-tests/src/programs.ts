import type { Operation } from '@rmap-lab/core';
import * as linux from '@rmap-lab/core';
import fc from 'fast-check';

const RW = linux.PROT_READ | linux.PROT_WRITE;
const ADVICE = [
  linux.MADV_DONTNEED,
  linux.MADV_DONTFORK,
  linux.MADV_DOFORK,
  linux.MADV_WIPEONFORK,
  linux.MADV_KEEPONFORK,
  linux.MADV_GUARD_INSTALL,
  linux.MADV_COLLAPSE,
  linux.MADV_MERGEABLE,
  linux.MADV_MERGEABLE,
  linux.MADV_UNMERGEABLE,
];

/** So few places that pieces often come home and merge. */
const at = fc.integer({ min: 10, max: 24 });
const pages = fc.integer({ min: 1, max: 6 });
const process = fc.nat(5);
const op = <T extends string>(name: T): fc.Arbitrary<T> => fc.constant(name);

const mmap = fc.record({
  op: op('mmap'),
  process,
  at,
  pages,
  prot: fc.constantFrom(RW, RW, RW, linux.PROT_READ),
  flags: fc.constantFrom(0, linux.MAP_NORESERVE),
  memory: fc.constantFrom('private' as const, 'private' as const, 'private' as const, 'file-private' as const),
  offset: fc.constantFrom(0, 0, 3),
});
const mremap = fc
  .record({ op: op('mremap'), process, at, pages, grow: fc.nat(3), to: fc.option(at), dontUnmap: fc.boolean() })
  .map(({ grow, ...rest }) => ({ ...rest, newPages: rest.pages + (rest.to === null ? grow : 0) }));

/** Programs over a process tree, of the operations that touch the reverse map. */
export const programs = (maxLength: number): fc.Arbitrary<readonly Operation[]> =>
  fc.array(
    fc.oneof(
      { weight: 4, arbitrary: mmap },
      { weight: 4, arbitrary: mremap },
      { weight: 9, arbitrary: fc.record({ op: op('write'), process, at }) },
      { weight: 4, arbitrary: fc.record({ op: op('fork'), process }) },
      { weight: 3, arbitrary: fc.record({ op: op('exit'), process }) },
      { weight: 2, arbitrary: fc.record({ op: op('munmap'), process, at, pages }) },
      { weight: 3, arbitrary: fc.record({ op: op('mprotect'), process, at, pages, prot: fc.constantFrom(RW, linux.PROT_READ) }) },
      { weight: 2, arbitrary: fc.record({ op: op('madvise'), process, at, pages, advice: fc.constantFrom(...ADVICE) }) },
      { weight: 1, arbitrary: fc.record({ op: op('brk'), process, pages: fc.integer({ min: -2, max: 3 }) }) },
      { weight: 1, arbitrary: fc.record({ op: op('exec'), process }) },
      {
        weight: 3,
        arbitrary: fc.record({ op: op('uffdMove'), process, to: at, from: at, pages: fc.integer({ min: 1, max: 3 }) }),
      },
      { weight: 3, arbitrary: fc.record({ op: op('fill'), process, at, pattern: fc.integer({ min: 1, max: 2 }) }) },
      { weight: 2, arbitrary: fc.record({ op: op('ksmScan'), process }) },
      { weight: 1, arbitrary: fc.record({ op: op('ksmUnmerge'), process }) },
      { weight: 3, arbitrary: fc.record({ op: op('reclaim'), process, at }) },
      { weight: 1, arbitrary: fc.record({ op: op('migrate'), process, at }) },
      { weight: 2, arbitrary: fc.record({ op: op('startMigration'), process, at }) },
      { weight: 1, arbitrary: fc.record({ op: op('finishMigrations'), process }) },
      { weight: 1, arbitrary: fc.record({ op: op('swapOff'), process }) },
      { weight: 1, arbitrary: fc.record({ op: op('read'), process, at }) },
      {
        weight: 1,
        arbitrary: fc.record({ op: op('splitFolio'), process, at, order: fc.constantFrom(0, 2), unequal: fc.boolean() }),
      },
      { weight: 1, arbitrary: fc.record({ op: op('splitDeferred'), process }) },
    ),
    { minLength: 1, maxLength, size: 'max' },
  );
