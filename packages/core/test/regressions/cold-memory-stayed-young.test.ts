import { expect, it } from 'vitest';
import { type Address, type Folio, Kernel, MADV_COLD, MADV_HUGEPAGE, PAGE_SIZE, type Process } from '../../src/index.js';
import { scanAll } from '../support/scan-all.js';

const page = (n: number): Address => (0x100000000000 + n * PAGE_SIZE) as Address;

function touched(pages: number): { kernel: Kernel; process: Process; referenced: () => number } {
  const kernel = new Kernel({ strategy: scanAll(), thp: { orders: { 4: 'madvise', 9: 'madvise' } } });
  const process = kernel.spawn();
  process.mmap(pages * PAGE_SIZE, { at: page(0) });
  process.madvise(page(0), pages * PAGE_SIZE, MADV_HUGEPAGE);
  for (let n = 0; n < pages; n += 16) process.write(page(n));
  return { kernel, process, referenced: () => kernel.referenced(process.folioAt(page(0)) as Folio).references };
}

// MADV_COLD was checked for its errors, and did nothing else.
it.each([1, 16, 512])('MADV_COLD leaves no sign that %i pages were used', (pages) => {
  const { process, referenced } = touched(pages);
  process.madvise(page(0), pages * PAGE_SIZE, MADV_COLD);
  expect(referenced()).toBe(0);
});

it('MADV_COLD lets memory alone that others map too', () => {
  const { kernel, process, referenced } = touched(16);
  process.fork();
  process.madvise(page(0), 4 * PAGE_SIZE, MADV_COLD);
  process.madvise(page(0), 16 * PAGE_SIZE, MADV_COLD);
  expect(process.pageAt(page(0)).order).toBe(4);
  expect(referenced()).toBeGreaterThan(0);
  kernel.verify();
});

it.each([16, 512])('MADV_COLD splits a folio of %i pages that is not all in the range', (pages) => {
  const { kernel, process, referenced } = touched(pages);
  process.madvise(page(0), PAGE_SIZE, MADV_COLD);
  expect(process.pageAt(page(0)).order).toBe(0);
  expect(referenced()).toBe(0);
  kernel.verify();
});
