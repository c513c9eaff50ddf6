import { expect, it } from 'vitest';
import { Kernel, MADV_MERGEABLE, PAGE_SIZE, type Vma } from '../../src/index.js';
import { scanAll } from '../support/scan-all.js';

// 1. KSM keeps an item of a place, with the reverse map of its VMA pinned.
// 2. The VMA goes, and another with another reverse map comes to the same place, with a page of the same contents.
// 3. The next scan merged that page, and kept the item with the pin of the old VMA: walks did not come to the new one.
it('KSM pins the VMA that is at a place when it merges the page there, not one that was there before', () => {
  const strategy = scanAll();
  const pinned: Vma[] = [];
  const kernel = new Kernel({
    strategy: {
      ...strategy,
      create: (services) => {
        const rmap = strategy.create(services);
        const holdVma = rmap.holdVma.bind(rmap);
        return Object.assign(rmap, {
          holdVma: (vma: Vma, mode: 'pin' | 'write') => {
            if (mode === 'pin') pinned.push(vma);
            return holdVma(vma, mode);
          },
        });
      },
    },
  });
  const process = kernel.spawn();
  const at = process.mmap(3 * PAGE_SIZE);
  process.madvise(at, 3 * PAGE_SIZE, MADV_MERGEABLE);
  for (const n of [0, 1, 2]) process.fill((at + n * PAGE_SIZE) as typeof at, 7);
  kernel.ksmScan();
  process.munmap(at, PAGE_SIZE);
  process.mapAt(at, PAGE_SIZE);
  process.madvise(at, PAGE_SIZE, MADV_MERGEABLE);
  process.fill(at, 7);
  pinned.length = 0;
  kernel.ksmScan();
  expect(pinned).toHaveLength(1);
  kernel.verify();
  process.exit();
  kernel.verify();
});
