import { type Address, Kernel, PAGE_SIZE, type RmapStrategy } from '@rmap-lab/core';
import { anonVma } from '@rmap-lab/strategy-anon-vma';
import { anonVmaLazy } from '@rmap-lab/strategy-anon-vma-lazy';
import { cowContext } from '@rmap-lab/strategy-cow-context';
import { describe, expect, it } from 'vitest';

/** Rewritten folios were counted in two designs where a fork or a move rewrites them, and where their last user takes them over in one alone. */
const at = (page: number): Address => (0x40000000 + page * PAGE_SIZE) as Address;
const rewritten = (strategy: RmapStrategy, scene: (kernel: Kernel) => void): number => {
  const kernel = new Kernel({ strategy });
  scene(kernel);
  kernel.verify();
  return kernel.stats().counts['folio-rewritten'] ?? 0;
};

/** A grandchild takes over what the first of its line has written. */
const takenOver = (kernel: Kernel): void => {
  const first = kernel.spawn();
  first.mapAt(at(0), 3 * PAGE_SIZE);
  for (const page of [0, 1, 2]) first.write(at(page));
  const second = first.fork();
  const third = second.fork();
  for (const process of [first, second]) process.exit();
  for (const page of [0, 1, 2]) third.write(at(page));
  for (const page of [0, 1, 2]) third.write(at(page));
};

/** UFFDIO_MOVE takes a page to memory of another origin, and back. */
const thereAndBack = (kernel: Kernel): void => {
  const process = kernel.spawn();
  process.mapAt(at(0), PAGE_SIZE);
  process.mapAt(at(9), PAGE_SIZE);
  process.write(at(0));
  process.uffdMove({ to: at(9), from: at(0), length: PAGE_SIZE });
  process.uffdMove({ to: at(0), from: at(9), length: PAGE_SIZE });
};

describe('a folio counts as rewritten in every design', () => {
  it('when its last user takes it over: once a page; in ANON_VMA_LAZY at the fork instead, and not in a VMA without an anon_vma', () => {
    expect([anonVma(), cowContext(), anonVmaLazy()].map((strategy) => rewritten(strategy, takenOver))).toEqual([3, 3, 3]);
  });

  it('when UFFDIO_MOVE takes it to where walks start elsewhere', () => {
    expect([anonVma(), cowContext(), anonVmaLazy()].map((strategy) => rewritten(strategy, thereAndBack))).toEqual([2, 0, 2]);
  });
});
