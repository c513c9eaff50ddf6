import { expect, it } from 'vitest';
import { Kernel, MADV_MERGEABLE, NoMemory, PAGE_SIZE } from '../../src/index.js';
import { pageList } from '../support/page-list.js';

// 1. KSM has made a page the one for its contents and is about to map it in place of the second.
// 2. The strategy has no memory for that entry: `reserve` throws.
// 3. The references that the scan held on both pages were never given back.
it('KSM gives its references back when a strategy has no memory for the merged entry', () => {
  let memory = true;
  const strategy = pageList();
  const kernel = new Kernel({
    strategy: {
      ...strategy,
      create: (services) =>
        Object.assign(strategy.create(services), {
          reserve: () => {
            if (!memory) throw new NoMemory('reserve');
          },
          reserved: 1,
        }),
    },
  });
  const process = kernel.spawn();
  const at = process.mmap(4 * PAGE_SIZE);
  const other = (at + 2 * PAGE_SIZE) as typeof at;
  for (const address of [at, other]) process.fill(address, 7);
  process.madvise(at, 4 * PAGE_SIZE, MADV_MERGEABLE);
  memory = false;
  // The page that was made KSM's for nothing is copied back by a write fault, which needs memory too (break_cow).
  expect(() => kernel.ksmScan()).toThrow(NoMemory);
  memory = true;
  kernel.verify();
  expect(process.pageAt(at).pfn).not.toBe(process.pageAt(other).pfn);
  for (let pass = 0; pass < 3; pass++) kernel.ksmScan();
  expect(process.pageAt(at).pfn).toBe(process.pageAt(other).pfn);
  process.exit();
  kernel.verify();
  expect(kernel.stats().pages.live).toBe(0);
});
