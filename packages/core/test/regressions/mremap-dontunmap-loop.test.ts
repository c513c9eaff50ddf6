import { expect, it } from 'vitest';
import { type Address, Kernel, MREMAP_DONTUNMAP, MREMAP_FIXED, MREMAP_MAYMOVE, PAGE_SIZE } from '../../src/index.js';
import { scanAll } from '../support/scan-all.js';

// 1. A VMA reaches further than the range that is moved out of its middle.
// 2. MREMAP_DONTUNMAP leaves the source in place, so the VMA behind the moved range is the source itself.
// 3. The loop over "the VMAs of the range" found it again and again: mremap never came back.
it('mremap with DONTUNMAP of the middle of a VMA ends', () => {
  const kernel = new Kernel({ strategy: scanAll() });
  const process = kernel.spawn();
  const at = process.mmap(8 * PAGE_SIZE);
  const to = (at - 64 * PAGE_SIZE) as Address;
  const source = (at + 2 * PAGE_SIZE) as Address;
  process.write(source);
  const flags = MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP;
  expect(process.mremap(source, 3 * PAGE_SIZE, 3 * PAGE_SIZE, { flags, to })).toBe(to);
  expect(process.vmas().map(({ start, end }) => (end - start) / PAGE_SIZE)).toEqual([3, 8]);
  expect(process.folioAt(to)).not.toBeNull();
  kernel.verify();
});
