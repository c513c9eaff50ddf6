import { expect, it } from 'vitest';
import { type Address, Kernel, MMAP_MIN_ADDR, PAGE_SIZE } from '../../src/index.js';
import { errnoOf } from '../support/errno-of.js';
import { scanAll } from '../support/scan-all.js';

// exec built a stack anywhere above address 0, where nothing else may be mapped; setup_arg_pages refuses one that would reach mmap_min_addr.
it.each([false, true])('exec builds no stack below mmap_min_addr, stepping: %s', (stepping) => {
  const kernel = new Kernel({ strategy: scanAll(), stepping });
  const exec = (pages: number): string =>
    errnoOf(() => {
      const process = kernel.spawn();
      process.exec({ stackTop: (MMAP_MIN_ADDR + 3 * PAGE_SIZE) as Address, argumentPages: pages, stackExpand: 0 });
    });
  expect([2, 3, 4].map(exec)).toEqual(['ok', 'ENOMEM', 'ENOMEM']);
  kernel.verify();
});
