import { beforeEach, describe, expect, it } from 'vitest';
import {
  type Address,
  type Folio,
  Kernel,
  MADV_HUGEPAGE,
  MADV_MERGEABLE,
  MADV_UNMERGEABLE,
  MAP_ANONYMOUS,
  MAP_FIXED,
  MAP_PRIVATE,
  MREMAP_FIXED,
  MREMAP_MAYMOVE,
  PAGE_SIZE,
  PROT_READ,
  type Process,
} from '../src/index.js';
import { scanAll } from './support/scan-all.js';

let kernel: Kernel;
let process: Process;
const page = (n: number): Address => (0x100000000000 + n * PAGE_SIZE) as Address;
const pfn = (p: Process, n: number): number | null => p.pageAt(page(n)).pfn;
const map = (p: Process, first: number, pages: number): void => {
  p.mmap(pages * PAGE_SIZE, { at: page(first), flags: MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS });
};

beforeEach(() => {
  kernel = new Kernel({ strategy: scanAll() });
  process = kernel.spawn();
  map(process, 0, 8);
  process.madvise(page(0), 8 * PAGE_SIZE, MADV_MERGEABLE);
});

it('pages of equal contents become one, read-only and never exclusive; others stay', () => {
  process.fill(page(0), 7);
  process.fill(page(3), 7);
  process.fill(page(4), 8);
  expect(kernel.ksmScan()).toBe(1);
  expect(pfn(process, 0)).toBe(pfn(process, 3));
  expect(process.pageAt(page(3))).toMatchObject({ mapcount: 2, exclusive: false, writable: false, version: -7 });
  expect(process.pageAt(page(4))).toMatchObject({ mapcount: 1, exclusive: true });
  expect(kernel.stats().pages.live).toBe(2);
  expect(kernel.ksmScan()).toBe(0);
  kernel.verify();
});

it('pages of different processes merge, and a later one joins the page that is there', () => {
  const other = kernel.spawn();
  map(other, 100, 2);
  other.madvise(page(100), 2 * PAGE_SIZE, MADV_MERGEABLE);
  process.fill(page(0), 7);
  other.fill(page(100), 7);
  expect(kernel.ksmScan()).toBe(1);
  process.fill(page(5), 7);
  expect(kernel.ksmScan()).toBe(1);
  expect(kernel.walk(process.folioAt(page(0)) as Folio).found).toHaveLength(3);
  kernel.verify();
});

it('a walk finds the entries of a fork since the merge', () => {
  process.fill(page(0), 7);
  process.fill(page(1), 7);
  kernel.ksmScan();
  const child = process.fork();
  const { found } = kernel.walk(process.folioAt(page(0)) as Folio);
  expect(found).toHaveLength(4);
  expect(found.filter((mapping) => mapping.process === child)).toHaveLength(2);
  kernel.verify();
});

it('a walk that has enough ends there, whatever other places KSM knows of', () => {
  for (const n of [0, 1, 2]) process.fill(page(n), 7);
  kernel.ksmScan();
  process.mprotect(page(0), 8 * PAGE_SIZE, PROT_READ);
  process.mlock(page(0), 8 * PAGE_SIZE);
  expect(kernel.referenced(process.folioAt(page(0)) as Folio)).toMatchObject({ locked: true, mappings: 1 });
});

it('a write gives the writer a copy of its own; the others keep the page', () => {
  process.fill(page(0), 7);
  process.fill(page(1), 7);
  kernel.ksmScan();
  process.write(page(0));
  expect(process.pageAt(page(0))).toMatchObject({ mapcount: 1, exclusive: true, writable: true });
  expect(process.pageAt(page(1))).toMatchObject({ mapcount: 1, exclusive: false, writable: false });
  process.write(page(1));
  expect(process.pageAt(page(1))).toMatchObject({ exclusive: true });
  expect(kernel.stats().ksm.pages).toBe(0);
  kernel.verify();
});

describe('pages are private again after', () => {
  beforeEach(() => {
    process.fill(page(0), 7);
    process.fill(page(1), 7);
    expect(kernel.ksmScan()).toBe(1);
  });

  it('MADV_UNMERGEABLE', () => {
    process.madvise(page(0), PAGE_SIZE, MADV_UNMERGEABLE);
    expect(process.pageAt(page(0))).toMatchObject({ mapcount: 1, exclusive: true, writable: false, version: -7 });
    expect(process.pageAt(page(1))).toMatchObject({ mapcount: 1, exclusive: false });
    kernel.verify();
  });

  it('MADV_UNMERGEABLE, which without memory says EAGAIN and leaves the memory mergeable', () => {
    kernel.failNextAllocation(1, 100);
    expect(() => process.madvise(page(0), 8 * PAGE_SIZE, MADV_UNMERGEABLE)).toThrow(/EAGAIN/);
    kernel.failNextAllocation(0);
    expect(pfn(process, 0)).toBe(pfn(process, 1));
    expect(kernel.ksmScan()).toBe(0);
    process.fill(page(5), 7);
    expect(kernel.ksmScan()).toBe(1);
    kernel.verify();
  });

  it('mremap, at the new place', () => {
    process.mremap(page(0), PAGE_SIZE, PAGE_SIZE, { flags: MREMAP_MAYMOVE | MREMAP_FIXED, to: page(50) });
    expect(process.pageAt(page(50))).toMatchObject({ mapcount: 1, exclusive: true, version: -7 });
    kernel.verify();
  });

  it('the end of KSM, which then pins nothing', () => {
    kernel.ksmUnmerge();
    expect(process.pageAt(page(1))).toMatchObject({ mapcount: 1, exclusive: true });
    expect(kernel.stats().ksm).toEqual({ pages: 0, items: 0 });
    kernel.verify();
  });
});

it('a large folio is split for a page that has an equal', () => {
  map(process, 512, 512);
  process.madvise(page(512), 512 * PAGE_SIZE, MADV_HUGEPAGE);
  process.madvise(page(512), 512 * PAGE_SIZE, MADV_MERGEABLE);
  process.fill(page(520), 7);
  process.fill(page(0), 7);
  expect(kernel.ksmScan()).toBeGreaterThan(0);
  expect(pfn(process, 520)).toBe(pfn(process, 0));
  kernel.verify();
});

// Pages in the swap cache were left alone.
describe('a page in the swap cache', () => {
  let child: Process;
  const swapped = (n: number): void => {
    for (const each of [0, 2]) process.fill(page(each), 7);
    child = process.fork();
    child.madvise(page(0), 8 * PAGE_SIZE, MADV_UNMERGEABLE);
    kernel.reclaim(process.folioAt(page(n)) as Folio);
    process.read(page(n));
  };

  it('gives way to one of KSM, and goes once nobody has it in swap', () => {
    swapped(0);
    expect(kernel.ksmScan()).toBe(1);
    expect(pfn(process, 0)).toBe(pfn(process, 2));
    expect(child.pageAt(page(0)).kind).toBe('swap');
    child.read(page(0));
    expect(child.pageAt(page(0))).toMatchObject({ ksm: false, version: -7 });
    child.write(page(0));
    expect(kernel.stats().swap).toEqual({ live: 0, cached: 0 });
    kernel.verify();
  });

  it('becomes one of KSM, and is the one that a relative has in swap', () => {
    swapped(2);
    expect(kernel.ksmScan()).toBe(1);
    expect(process.pageAt(page(2))).toMatchObject({ ksm: true, mapcount: 2 });
    child.read(page(2));
    expect(pfn(child, 2)).toBe(pfn(process, 2));
    expect(child.pageAt(page(2))).toMatchObject({ ksm: true, exclusive: false, writable: false });
    kernel.verify();
    kernel.swapOff();
    kernel.ksmUnmerge();
    child.write(page(2));
    expect(kernel.stats()).toMatchObject({ swap: { live: 0, cached: 0 } });
    kernel.verify();
  });
});

it('a pattern that is none is refused', () => {
  expect(() => process.fill(page(0), 0)).toThrow(RangeError);
});
