import {
  Kernel,
  MAP_ANONYMOUS,
  MAP_FIXED,
  MAP_NORESERVE,
  MAP_PRIVATE,
  MREMAP_DONTUNMAP,
  MREMAP_FIXED,
  MREMAP_MAYMOVE,
  PAGE_SIZE,
} from '@rmap-lab/core';
import { expect, it } from 'vitest';
import { anonVmaLazy, type LazyOptions, PRESETS } from '../src/index.js';
import { at, folioAt, map, move } from './places.js';

/** What becomes of roots, and of anon_vmas that a child borrows, where VMAs come together, stay behind or were forked. */
const machine = (options: Partial<LazyOptions> = {}) => {
  const kernel = new Kernel({ strategy: anonVmaLazy({ ...PRESETS.intended, ...options }) });
  return { kernel, process: kernel.spawn() };
};

it('a VMA without a root that takes in one with lazy pages keeps the root of those', () => {
  const { kernel, process } = machine();
  map(process, 0, 4);
  move(process, 0, 100, 2);
  // Pages 2 and 3 stay lazy. The first piece comes back alone, the second closes the gap: the first lives on, the root does not.
  move(process, 100, 0, 1);
  move(process, 101, 1, 1);
  expect([process.vmas().length, kernel.stats().zombies]).toEqual([1, 1]);
  for (const page of [0, 1, 2, 3]) expect(kernel.walk(folioAt(process, page)).found).toHaveLength(1);
  kernel.verify();
  process.exit();
  expect(kernel.stats().zombies).toBe(0);
});

it.each(['lazyChild', 'parentAnonVma'] as const)(
  'childFolio: %s: a forked VMA takes in no untouched memory, as in the classic design, and its parent does',
  (childFolio) => {
    const { process } = machine({ childFolio });
    const flags = MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
    process.mmap(PAGE_SIZE, { at: at(0), flags });
    process.write(at(0));
    const child = process.fork();
    for (const each of [process, child]) each.mmap(PAGE_SIZE, { at: at(1), flags });
    expect([process.vmas().length, child.vmas().length]).toEqual([1, 2]);
  },
);

it('a VMA that borrowed an anon_vma, and stays behind empty, borrows none any more', () => {
  const { kernel, process } = machine({ childFolio: 'parentAnonVma' });
  map(process, 0, 2);
  const child = process.fork();
  child.mremap(at(0), 2 * PAGE_SIZE, 2 * PAGE_SIZE, { flags: MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP, to: at(10) });
  child.write(at(0));
  const grandchild = child.fork();
  kernel.verify();
  for (const each of [process, child, grandchild]) each.exit();
  expect(kernel.stats().slab.anon_vma.live).toBe(0);
});

it('a page that its only user writes keeps its anchor where the anon_vma is borrowed', () => {
  const { kernel, process } = machine({ childFolio: 'parentAnonVma' });
  map(process, 0, 1);
  const child = process.fork();
  const grandchild = child.fork();
  const anchor = process.pageAt(at(0)).anchor;
  for (const each of [process, child]) each.exit();
  grandchild.write(at(0));
  expect(grandchild.pageAt(at(0)).anchor).toBe(anchor);
  kernel.verify();
});
