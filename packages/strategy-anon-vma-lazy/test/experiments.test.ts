import {
  type Address,
  type Folio,
  interleave,
  Kernel,
  type KernelOptions,
  MADV_MERGEABLE,
  PAGE_SIZE,
  PROT_READ,
  type Process,
  type WalkResult,
} from '@rmap-lab/core';
import { scheduler } from '@rmap-lab/strategy-tests';
import { describe, expect, it } from 'vitest';
import { anonVmaLazy, type LazyOptions, PRESETS, type Preset } from '../src/index.js';

/** Experiments that the debate asks for, by their numbers in its description; docs/strategies/anon-vma-lazy.md says where the others are. */
const at = (page: number): Address => (0x40000000 + page * PAGE_SIZE) as Address;
const map = (process: Process, page: number, pages: number): void => {
  process.mapAt(at(page), pages * PAGE_SIZE);
  for (let i = 0; i < pages; i++) process.write(at(page + i));
};
const FOUR: Partial<KernelOptions> = { thp: { orders: { 2: 'always' } } };

describe('X5: a folio is walked while the VMA that it lies in is cut', () => {
  const lost = (options: Partial<LazyOptions>): number => {
    let n = 0;
    for (let seed = 1; seed <= 300; seed++) {
      const kernel = new Kernel({ strategy: anonVmaLazy({ ...PRESETS.intended, ...options }), stepping: true, ...FOUR });
      const process = kernel.spawn();
      map(process, 0, 4);
      const walk = kernel.op.walk(process.folioAt(at(0)) as Folio);
      const ends = interleave(kernel, { walk, cut: process.op.mprotect(at(2), 2 * PAGE_SIZE, PROT_READ) }, scheduler(seed));
      if ((ends.walk as { value: WalkResult }).value.found.length < 4) n++;
    }
    return n;
  };
  it('with a reference alone entries are missed that were there all the time; with a lock that the cut waits for none is', () => {
    expect(lost({})).toBeGreaterThan(0);
    expect(lost({ walkLock: 'hashedLock' })).toBe(0);
  });
});

it.each([
  ['intended', 0],
  ['stated', 0],
  ['posted', 1],
] as const)(
  'X14b: a page of KSM that a fork carries to a grandchild before ksmd comes by again: %s misses %i',
  (preset, missed) => {
    const kernel = new Kernel({ strategy: anonVmaLazy(preset as Preset) });
    const process = kernel.spawn();
    process.mapAt(at(0), 2 * PAGE_SIZE);
    process.madvise(at(0), 2 * PAGE_SIZE, MADV_MERGEABLE);
    process.fill(at(0), 7);
    process.fill(at(1), 7);
    kernel.ksmScan();
    process.fork().fork();
    expect(Math.sign(kernel.check().missed)).toBe(missed);
  },
);

describe('X16, X20: objects that a VMA costs', () => {
  const used = (kernel: Kernel): number[] => ['anon_vma', 'anon_vma_chain'].map((name) => kernel.stats().slab[name].live);
  it('none at the first fault; the first fork takes an anon_vma and a link, and one for the child; every later one only that', () => {
    const kernel = new Kernel({ strategy: anonVmaLazy() });
    const process = kernel.spawn();
    map(process, 0, 3);
    const seen = [used(kernel)];
    for (let n = 0; n < 3; n++) {
      process.fork();
      seen.push(used(kernel));
    }
    expect(seen).toEqual([
      [0, 0],
      [1, 2],
      [1, 3],
      [1, 4],
    ]);
    expect(kernel.stats().counts['folio-rewritten']).toBe(3);
  });

  it('the saving does not come back when the children are gone', () => {
    const kernel = new Kernel({ strategy: anonVmaLazy() });
    const process = kernel.spawn();
    map(process, 0, 1);
    process.fork().exit();
    expect(used(kernel)).toEqual([1, 1]);
    process.write(at(0));
    expect(used(kernel)).toEqual([1, 1]);
  });

  it('a process at depth d links its child to d + 1 anon_vmas at its first fork', () => {
    const kernel = new Kernel({ strategy: anonVmaLazy() });
    let process = kernel.spawn();
    map(process, 0, 1);
    for (let depth = 0; depth < 5; depth++) {
      const before = used(kernel);
      const child = process.fork();
      const after = used(kernel);
      expect(after.map((n, i) => n - before[i])).toEqual([1, 1 + depth + 1]);
      process = child;
      process.write(at(0));
    }
  });
});
