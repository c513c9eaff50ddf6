import { beforeEach, expect, it } from 'vitest';
import {
  type Address,
  type Folio,
  Kernel,
  MADV_COLLAPSE,
  MADV_GUARD_INSTALL,
  MADV_HUGEPAGE,
  MADV_MERGEABLE,
  MADV_PAGEOUT,
  PAGE_SIZE,
  type Process,
} from '../../src/index.js';
import { errnoOf } from '../support/errno-of.js';
import { scanAll } from '../support/scan-all.js';

const page = (n: number): Address => (0x100000000000 + n * PAGE_SIZE) as Address;
let kernel: Kernel;
let process: Process;
const kind = (n: number): string => process.pageAt(page(n)).kind;
const pageOut = (n: number): void => process.madvise(page(n), PAGE_SIZE, MADV_PAGEOUT);
const collapse = (pages: number): string => errnoOf(() => process.madvise(page(0), pages * PAGE_SIZE, MADV_COLLAPSE));

beforeEach(() => {
  kernel = new Kernel({ strategy: scanAll() });
  process = kernel.spawn();
  process.mmap(1536 * PAGE_SIZE, { at: page(0) });
});

// An entry without a page was answered with EINVAL.
it('MADV_COLLAPSE brings in what is in swap, with its contents', () => {
  for (const n of [3, 4]) process.fill(page(n), n);
  pageOut(3);
  expect(collapse(512)).toBe('ok');
  expect(process.pageAt(page(3))).toMatchObject({ byPmd: true, exclusive: true, version: -3 });
  expect(kernel.stats().swap.live).toBe(0);
  kernel.verify();
});

it('MADV_COLLAPSE ends at a guard page, and keeps what it brought in by then', () => {
  for (const n of [3, 5, 600]) process.write(page(n));
  for (const n of [3, 5]) pageOut(n);
  process.madvise(page(4), PAGE_SIZE, MADV_GUARD_INSTALL);
  expect(collapse(1024)).toBe('EINVAL');
  expect([3, 4, 5].map(kind)).toEqual(['anonymous', 'guard', 'swap']);
  expect(process.pageAt(page(600)).byPmd).toBe(false);
  kernel.verify();
});

it('MADV_COLLAPSE that finds no memory for a page in swap says EINVAL, and has taken none', () => {
  for (const n of [3, 4]) process.write(page(n));
  pageOut(3);
  const { live } = kernel.stats().pages;
  kernel.failNextAllocation(2, 1);
  expect(collapse(512)).toBe('EINVAL');
  kernel.failNextAllocation(0);
  expect([3, 4].map(kind)).toEqual(['swap', 'anonymous']);
  expect(kernel.stats().pages.live).toBe(live);
  kernel.verify();
});

it('MADV_COLLAPSE waits for a page that is on its way', () => {
  process.write(page(3));
  expect(kernel.startMigration(process.folioAt(page(3)) as Folio)).toBe(true);
  expect(collapse(512)).toBe('ok');
  expect(process.pageAt(page(3)).byPmd).toBe(true);
  kernel.verify();
});

it('MADV_COLLAPSE makes up no page that a userfaultfd waits for', () => {
  for (const n of [3, 600]) process.write(page(n));
  process.uffdRegister(page(0), 1536 * PAGE_SIZE);
  expect(collapse(1024)).toBe('EBUSY');
  expect(process.pageAt(page(3)).byPmd).toBe(false);
  for (let n = 0; n < 512; n++) process.write(page(n));
  expect(collapse(512)).toBe('ok');
});

it('MADV_COLLAPSE leaves the rest alone where 2 MiB have no page table', () => {
  process.write(page(600));
  expect(collapse(1024)).toBe('EINVAL');
  expect(process.pageAt(page(600)).byPmd).toBe(false);
});

it('MADV_COLLAPSE says EAGAIN of a page of KSM that is there twice', () => {
  for (const n of [3, 4]) process.fill(page(n), 7);
  process.madvise(page(0), 512 * PAGE_SIZE, MADV_MERGEABLE);
  expect(kernel.ksmScan()).toBe(1);
  expect(collapse(512)).toBe('EAGAIN');
  process.write(page(3));
  expect(collapse(512)).toBe('ok');
  kernel.verify();
});

it.each([
  [64, 256, 1],
  [65, 300, 0],
  [64, 255, 0],
])('khugepaged brings in %i pages from swap beside %i that were used: %i collapsed', (away, used, collapsed) => {
  for (let n = 0; n < away + used; n++) process.write(page(n));
  process.madvise(page(0), away * PAGE_SIZE, MADV_PAGEOUT);
  process.madvise(page(0), 512 * PAGE_SIZE, MADV_HUGEPAGE);
  expect(kernel.khugepagedScan()).toBe(collapsed);
  kernel.verify();
});
