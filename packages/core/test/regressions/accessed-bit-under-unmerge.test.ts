import { expect, it } from 'vitest';
import { type Address, type Folio, interleave, Kernel, MADV_MERGEABLE, MADV_UNMERGEABLE, PAGE_SIZE } from '../../src/index.js';
import { scanAll } from '../support/scan-all.js';

/*
 * 1. MADV_UNMERGEABLE, or mremap, meets a page of KSM and allocates a copy for it.
 * 2. Reclaim asks who used the page, and clears the accessed bit of its entry.
 * 3. The entry is not the one that was copied, so the copy was dropped, and the page stayed KSM's where KSM does not look for it any more.
 */
it('a page of KSM is given back although reclaim clears its accessed bit meanwhile', () => {
  for (let steps = 0, over = false; !over; steps++) {
    const kernel = new Kernel({ strategy: scanAll(), stepping: true });
    const process = kernel.spawn();
    const at = process.mmap(2 * PAGE_SIZE);
    const second = (at + PAGE_SIZE) as Address;
    process.madvise(at, 2 * PAGE_SIZE, MADV_MERGEABLE);
    for (const page of [at, second]) process.fill(page, 7);
    kernel.ksmScan();
    let left = steps;
    const threads = {
      unmerge: process.op.madvise(at, 2 * PAGE_SIZE, MADV_UNMERGEABLE),
      referenced: kernel.op.referenced(process.folioAt(at) as Folio),
    };
    interleave(kernel, threads, (ready) => {
      if (ready === 2 && left === 0) return 1;
      over = ready === 1 && left > 0;
      left--;
      return 0;
    });
    expect([at, second].map((page) => process.pageAt(page).ksm)).toEqual([false, false]);
    kernel.verify();
  }
});
