import {
  type Address,
  type Folio,
  Kernel,
  type KernelOptions,
  MADV_HUGEPAGE,
  MREMAP_FIXED,
  MREMAP_MAYMOVE,
  PAGE_SIZE,
  type Process,
} from '@rmap-lab/core';
import { describe, expect, it } from 'vitest';
import { cowContext } from '../src/index.js';
import { Graph } from './graph.js';

const at = (page: number): Address => ((0x10_0000 + page) * PAGE_SIZE) as Address;
const folioAt = (process: Process, page = 0): Folio => process.folioAt(at(page)) as Folio;

/** A parent with `pages` pages that are written, and `children` that share them all, oldest first. */
function family(children: number, pages = 1, options: Partial<KernelOptions> = {}) {
  const kernel = new Kernel({ strategy: cowContext(), ...options });
  const parent = kernel.spawn();
  parent.mapAt(at(0), pages * PAGE_SIZE);
  if (pages === 512) parent.madvise(at(0), pages * PAGE_SIZE, MADV_HUGEPAGE);
  for (let page = 0; page < pages; page++) parent.write(at(page));
  return { kernel, parent, children: Array.from({ length: children }, () => parent.fork()) };
}

/** What a walk costs: contexts, look-ups and candidates. */
function costOf(kernel: Kernel, folio: Folio): number[] {
  const counted = (): number[] => ['context', 'vma-lookup', 'candidate'].map((what) => kernel.stats().counts[what] ?? 0);
  const before = counted();
  kernel.walk(folio);
  return counted().map((count, i) => count - before[i]);
}

const unmap = (process: Process, pages = 1): void => process.munmap(at(0), pages * PAGE_SIZE);
const move = (process: Process, from: number, to: number): void => {
  process.mremap(at(from), PAGE_SIZE, PAGE_SIZE, { flags: MREMAP_MAYMOVE | MREMAP_FIXED, to: at(to) });
};

describe('a walk looks at', () => {
  it("one context for a child's own page, however many relatives there are", () => {
    const { kernel, children } = family(4);
    children[1].write(at(0));
    expect(costOf(kernel, folioAt(children[1]))).toEqual([1, 1, 1]);
  });

  it('every context for a page that all share, and at one VMA in each', () => {
    const { kernel, parent } = family(4);
    expect(costOf(kernel, folioAt(parent))).toEqual([5, 5, 5]);
  });

  it('no context behind the last mapping: the newest child comes first', () => {
    const { kernel, parent, children } = family(4);
    for (const child of children.slice(0, 3)) unmap(child);
    expect(costOf(kernel, folioAt(parent))).toEqual([2, 2, 2]);
  });

  it('all of them where the oldest child has the last mapping', () => {
    const { kernel, parent, children } = family(4);
    for (const child of children.slice(1)) unmap(child);
    expect(costOf(kernel, folioAt(parent))).toEqual([5, 5, 2]);
  });

  it('the contexts below where the owner itself has no mapping left', () => {
    const { kernel, parent, children } = family(3);
    const folio = folioAt(parent);
    unmap(parent);
    for (const child of children.slice(0, 2)) unmap(child);
    expect(costOf(kernel, folio)).toEqual([2, 2, 1]);
  });

  it('every distance that is recorded for the page, in the address space that moved it', () => {
    const { kernel, parent, children } = family(2);
    move(parent, 0, 40);
    // The parent at no distance and at 40, then each child at none.
    expect(costOf(kernel, parent.folioAt(at(40)) as Folio)).toEqual([3, 4, 3]);
    for (const child of children) unmap(child);
    expect(costOf(kernel, parent.folioAt(at(40)) as Folio)).toEqual([1, 2, 1]);
  });

  it('both VMAs where a large folio is cut by protection', () => {
    const { kernel, parent } = family(1, 4, { thp: { orders: { 2: 'always' } } });
    parent.mprotect(at(2), 2 * PAGE_SIZE, 1);
    expect(costOf(kernel, folioAt(parent))).toEqual([2, 2, 3]);
  });

  it('every context for a huge page with several mappings, as one of them may be split meanwhile; at one for its only mapping', () => {
    const thp = { orders: { 9: 'madvise' as const } };
    const several = family(3, 512, { thp });
    for (const child of several.children.slice(0, 2)) unmap(child, 512);
    expect(costOf(several.kernel, folioAt(several.parent))).toEqual([4, 4, 2]);
    const single = family(3, 512, { thp });
    for (const child of single.children) unmap(child, 512);
    expect(costOf(single.kernel, folioAt(single.parent))).toEqual([1, 1, 1]);
  });
});

describe('a page read back from swap', () => {
  it('belongs to the top of the family where others may name its slot, so that all who read it share it', () => {
    const { kernel, parent, children } = family(2);
    const [child] = children;
    kernel.reclaim(folioAt(parent));
    child.read(at(0));
    const owner = new Graph(kernel).ofAnchor(child.pageAt(at(0)).anchor as number);
    expect(owner.mm).toBe(parent.mm.id);
    parent.read(at(0));
    children[1].read(at(0));
    expect(new Set([parent, ...children].map((process) => process.pageAt(at(0)).pfn)).size).toBe(1);
    kernel.verify();
  });
});

describe('contexts of the dead', () => {
  it('go when they own nothing and have but one child, however long the line', () => {
    const { kernel, parent } = family(0);
    let last = parent;
    for (let generation = 0; generation < 8; generation++) {
      const child = last.fork();
      child.write(at(0));
      last.exit();
      last = child;
    }
    expect(kernel.stats().slab.cow_context.live).toBeLessThanOrEqual(2);
    kernel.verify();
  });

  it('stay while they own a page or have two children', () => {
    const { kernel, parent, children } = family(2);
    parent.exit();
    expect(kernel.stats().slab.cow_context.live).toBe(3);
    for (const child of children) child.write(at(0));
    expect(kernel.stats().slab.cow_context.live).toBe(3);
    children[0].exit();
    expect(kernel.stats().slab.cow_context.live).toBe(1);
    kernel.verify();
  });
});
