import { type Address, Kernel, MREMAP_FIXED, MREMAP_MAYMOVE, PAGE_SIZE } from '@rmap-lab/core';
import { expect, it } from 'vitest';
import { cowContext } from '../src/index.js';

/** What records of moved memory take. */
const at = (page: number): Address => (0x1000_0000 + page * PAGE_SIZE) as Address;

it.each([
  [1, 1],
  [8, 1],
  [9, 3],
  [80, 11],
  [81, 14],
])('%i records take %i nodes: eight fill a leaf, and ten nodes one above them', (records, nodes) => {
  const kernel = new Kernel({ strategy: cowContext() });
  const process = kernel.spawn();
  for (let i = 0; i < records; i++) {
    process.mapAt(at(2 * i), PAGE_SIZE);
    process.write(at(2 * i));
    process.mremap(at(2 * i), PAGE_SIZE, PAGE_SIZE, { flags: MREMAP_MAYMOVE | MREMAP_FIXED, to: at(1000 + 3 * i) });
  }
  const { cow_remap_node, cow_remap_deltas } = kernel.stats().slab;
  expect([cow_remap_node.live, cow_remap_deltas.live]).toEqual([nodes, 0]);
  // What a change sets aside, and does not need, is no peak either.
  expect([cow_remap_node.peak, cow_remap_deltas.peak]).toEqual([nodes, 0]);
  process.exit();
  expect(kernel.stats().slab.cow_remap_node.live).toBe(0);
});
