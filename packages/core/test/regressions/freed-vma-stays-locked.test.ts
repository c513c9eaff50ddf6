import { expect, it } from 'vitest';
import {
  type Address,
  interleave,
  Kernel,
  MAP_ANONYMOUS,
  MAP_FIXED,
  MAP_PRIVATE,
  MREMAP_FIXED,
  MREMAP_MAYMOVE,
  PAGE_SIZE,
} from '../../src/index.js';
import { scanAll } from '../support/scan-all.js';

/*
 * 1. Process A maps over a VMA of its own: the old one is write-locked and freed, and mmap_lock goes on being held.
 * 2. Process B moves memory. Its new VMA gets the freed one's memory (SLAB_TYPESAFE_BY_RCU), is write-locked and can be found.
 * 3. A leaves mmap_lock, and with it unlocks all that it had locked: with the freed VMA still on its list, B's new one.
 * 4. A thread of B faults at the place to which B has not moved the page yet, and the page that it maps there is lost.
 */
it('a VMA that is freed leaves the list of those that its address space has write-locked', () => {
  const kernel = new Kernel({ strategy: scanAll(), stepping: true });
  const a = kernel.spawn();
  const over = a.mmap(PAGE_SIZE);
  const b = kernel.spawn();
  const from = b.mmap(2 * PAGE_SIZE);
  b.write(from);
  const to = (from - 16 * PAGE_SIZE) as Address;
  let freed = false;
  const next = (ready: number): 'maps over' | 'moves' | 'faults' => {
    freed ||= kernel.stats().slab.vm_area_struct.live === 1;
    if (!freed) return 'maps over';
    if (b.vmas().length === 1) return 'moves';
    return ready === 3 ? 'maps over' : 'faults';
  };
  interleave(
    kernel,
    {
      'maps over': a.op.mmap(PAGE_SIZE, { at: over, flags: MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS }),
      moves: b.op.mremap(from, 2 * PAGE_SIZE, 2 * PAGE_SIZE, { flags: MREMAP_MAYMOVE | MREMAP_FIXED, to }),
      faults: b.thread().op.write(to),
    },
    (ready) => ({ 'maps over': 0, moves: ready === 3 ? 1 : 0, faults: ready - 1 })[next(ready)],
  );
  expect(kernel.check().problems).toEqual([]);
});
