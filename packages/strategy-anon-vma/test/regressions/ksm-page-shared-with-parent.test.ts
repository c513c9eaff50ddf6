import {
  type Address,
  type Folio,
  Kernel,
  MADV_MERGEABLE,
  MAP_ANONYMOUS,
  MAP_FIXED,
  MAP_PRIVATE,
  PAGE_SIZE,
} from '@rmap-lab/core';
import { expect, it } from 'vitest';
import { anonVma } from '../../src/index.js';

const at = (n: number): Address => (0x100000000000 + n * PAGE_SIZE) as Address;

/** write_protect_page lets KSM take a page that a parent maps too; rmap_walk_ksm goes from the child's anon_vma, which the parent is not linked to. */
it('a page that KSM takes from a child is found in the child, and in the parent only once KSM met it there', () => {
  const kernel = new Kernel({ strategy: anonVma() });
  const parent = kernel.spawn();
  parent.mmap(2 * PAGE_SIZE, { at: at(0), flags: MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS });
  parent.fill(at(1), 7);
  const child = parent.fork();
  child.madvise(at(0), 2 * PAGE_SIZE, MADV_MERGEABLE);
  child.fill(at(0), 7);
  expect(kernel.ksmScan()).toBe(1);
  const folio = child.folioAt(at(0)) as Folio;
  expect(parent.folioAt(at(1))).toBe(folio);
  expect(kernel.walk(folio).found.map(({ process }) => process)).toEqual([child, child]);
  expect(kernel.verify()).toMatchObject({ missed: 0, mappings: 2 });
  expect(kernel.verifyChanges()).toMatchObject({ missed: 0, mappings: 2 });

  parent.madvise(at(0), 2 * PAGE_SIZE, MADV_MERGEABLE);
  kernel.ksmScan();
  expect(kernel.walk(folio).found).toHaveLength(3);
  expect(kernel.verify()).toMatchObject({ missed: 0, mappings: 3 });
});
