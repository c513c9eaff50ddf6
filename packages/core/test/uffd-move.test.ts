import { beforeEach, describe, expect, it } from 'vitest';
import {
  type Address,
  Kernel,
  MADV_HUGEPAGE,
  MAP_ANONYMOUS,
  MAP_FIXED,
  MAP_PRIVATE,
  MAP_SHARED,
  PAGE_SIZE,
  PROT_READ,
  type Process,
} from '../src/index.js';
import { scanAll } from './support/scan-all.js';

let kernel: Kernel;
let process: Process;
const page = (n: number): Address => (0x100000000000 + n * PAGE_SIZE) as Address;
const map = (first: number, pages: number, flags = MAP_PRIVATE): void => {
  process.mmap(pages * PAGE_SIZE, { at: page(first), flags: MAP_FIXED | MAP_ANONYMOUS | flags });
};
const move = (to: number, from: number, pages = 1, allowHoles = false): number =>
  process.uffdMove({ to: page(to), from: page(from), length: pages * PAGE_SIZE, allowHoles });

beforeEach(() => {
  kernel = new Kernel({ strategy: scanAll() });
  process = kernel.spawn();
  map(0, 4);
  map(600, 4);
  process.write(page(0));
});

it('the same frame is at the destination, with the index of its new place, exclusive and writable', () => {
  const before = process.pageAt(page(0));
  expect(move(600, 0)).toBe(PAGE_SIZE);
  const after = process.pageAt(page(600));
  expect(after).toMatchObject({ pfn: before.pfn, version: before.version, exclusive: true, writable: true });
  expect(after.index).toBe((before.index as number) + 600);
  expect(process.pageAt(page(0)).kind).toBe('none');
  kernel.verify();
});

it('a swapped-out page moves as its entry', () => {
  kernel.reclaim(process.folioAt(page(0)) as never);
  expect(move(600, 0)).toBe(PAGE_SIZE);
  process.read(page(600));
  expect(process.pageAt(page(600))).toMatchObject({ kind: 'anonymous', version: 1 });
  kernel.verify();
});

it('a page of a large folio is split off first', () => {
  map(1024, 512);
  process.madvise(page(1024), 512 * PAGE_SIZE, MADV_HUGEPAGE);
  process.write(page(1026));
  process.write(page(1027));
  expect(move(600, 1026)).toBe(PAGE_SIZE);
  expect(process.pageAt(page(600))).toMatchObject({ order: 0, exclusive: true });
  expect(process.pageAt(page(1027))).toMatchObject({ kind: 'anonymous', order: 0 });
  expect(move(602, 1028)).toBe(PAGE_SIZE); // zeros: since the split the zero page
  expect(process.pageAt(page(602)).kind).toBe('zero');
  kernel.verify();
});

describe('is refused', () => {
  it.each<[string, string, () => unknown]>([
    ['EINVAL', 'a range that is not whole pages', () => process.uffdMove({ to: page(600), from: page(0), length: 7 })],
    ['ENOENT', 'a place where nothing is mapped', () => move(900, 0)],
    ['ENOENT', 'a hole', () => move(600, 1)],
    ['EINVAL', 'a range beyond its VMA', () => move(600, 0, 5)],
    [
      'EEXIST',
      'a destination that has a page',
      () => {
        process.write(page(600));
        move(600, 0);
      },
    ],
    [
      'EBUSY',
      'a page that a fork shares',
      () => {
        process.fork();
        move(600, 0);
      },
    ],
    [
      'EINVAL',
      'memory that differs in access',
      () => {
        process.mprotect(page(600), 4 * PAGE_SIZE, PROT_READ);
        move(600, 0);
      },
    ],
    [
      'EINVAL',
      'shared memory',
      () => {
        map(700, 2, MAP_SHARED);
        move(700, 0);
      },
    ],
  ])('with %s: %s', (errno, _what, call) => {
    const { pfn } = process.pageAt(page(0));
    expect(call).toThrow(errno);
    expect(process.pageAt(page(0)).pfn).toBe(pfn);
    kernel.verify();
  });
});

it('says how far it came when a later page can not be moved, and passes over holes if asked to', () => {
  process.write(page(2));
  expect(move(600, 0, 3)).toBe(PAGE_SIZE);
  expect(move(601, 1, 2, true)).toBe(2 * PAGE_SIZE);
  expect(process.pageAt(page(602)).kind).toBe('anonymous');
  kernel.verify();
});
