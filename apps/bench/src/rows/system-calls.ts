import { MREMAP_FIXED, MREMAP_MAYMOVE, PAGE_SIZE, PROT_READ, PROT_WRITE } from '@rmap-lab/core';
import { contest } from '../contest.js';
import { NaturalProcess } from '../natural-model.js';
import type { MachineSetup, Setup } from '../row.js';
import { BASE, expect, manyVmas, newKernel, pageAt, touched } from './lab.js';

const CALLS = 5000;
const PAGES = 16;
const LENGTH = PAGES * PAGE_SIZE;

/** mmap(2) and munmap(2) of memory that stays untouched, in a process with `n` other VMAs, per pair. */
export const mmapMunmap: MachineSetup = (n, strategy) => {
  const { process } = manyVmas(n, strategy);
  return () => {
    for (let i = 0; i < CALLS; i++) process.munmap(process.mmap(LENGTH, { prot: PROT_READ }), LENGTH);
    expect(process.vmas().length, n, 'VMAs');
    return CALLS;
  };
};

const naturalMmapMunmap: Setup = (n) => {
  const process = new NaturalProcess();
  for (let i = n - 1; i >= 0; i--) process.mmap(BASE + 2 * i, 1);
  return () => {
    for (let i = 0; i < CALLS; i++) {
      process.mmap(BASE - PAGES, PAGES);
      process.munmap(BASE - PAGES);
    }
    return CALLS;
  };
};

/** mprotect(2) of the middle of `n` written pages, which splits the VMA in three, and back, which merges it, per pair. */
const splitMerge: MachineSetup = (n, strategy) => {
  const { process, at } = touched(n, strategy);
  const middle = pageAt(at, n >> 1);
  return () => {
    for (let i = 0; i < CALLS; i++) {
      process.mprotect(middle, PAGE_SIZE, PROT_READ);
      process.mprotect(middle, PAGE_SIZE, PROT_READ | PROT_WRITE);
    }
    expect(process.vmas().length, 1, 'VMAs');
    return CALLS;
  };
};

const naturalSplitMerge: Setup = (n) => {
  const process = new NaturalProcess();
  process.mmap(BASE, n);
  for (let i = 0; i < n; i++) process.write(BASE + i);
  return () => {
    for (let i = 0; i < CALLS; i++) {
      process.mprotect(BASE + (n >> 1), 1, false);
      process.mprotect(BASE + (n >> 1), 1, true);
    }
    expect(process.walk(BASE).length, 1, 'mappings of a page');
    return CALLS;
  };
};

/** mremap(2) of `n` written pages to another place and back, per call. */
const move: MachineSetup = (n, strategy) => {
  const kernel = newKernel(strategy);
  const process = kernel.spawn();
  const [there, here] = [process.mmap(n * PAGE_SIZE), process.mmap(n * PAGE_SIZE)];
  for (let i = 0; i < n; i++) process.write(pageAt(here, i));
  process.munmap(there, n * PAGE_SIZE);
  const flags = MREMAP_MAYMOVE | MREMAP_FIXED;
  return () => {
    for (let i = 0; i < CALLS / 2; i++) {
      process.mremap(here, n * PAGE_SIZE, n * PAGE_SIZE, { flags, to: there });
      process.mremap(there, n * PAGE_SIZE, n * PAGE_SIZE, { flags, to: here });
    }
    expect(process.pageAt(here).mapcount, 1, 'mappings of a page');
    return CALLS;
  };
};

const naturalMove: Setup = (n) => {
  const process = new NaturalProcess();
  process.mmap(BASE, n);
  for (let i = 0; i < n; i++) process.write(BASE + i);
  return () => {
    for (let i = 0; i < CALLS / 2; i++) {
      process.mremap(BASE, BASE + n);
      process.mremap(BASE + n, BASE);
    }
    expect(process.walk(BASE).length, 1, 'mappings of a page');
    return CALLS;
  };
};

const natural = { as: 'time', otherName: 'natural model' } as const;

export const systemCallRows = [
  contest({
    ...natural,
    id: 'mmap-munmap',
    operation: 'pair',
    n: 1000,
    quickN: 20,
    ours: mmapMunmap,
    other: naturalMmapMunmap,
  }),
  contest({
    ...natural,
    id: 'mprotect.split-merge',
    operation: 'pair',
    n: PAGES,
    quickN: PAGES,
    ours: splitMerge,
    other: naturalSplitMerge,
  }),
  contest({ ...natural, id: 'mremap.move', operation: 'call', n: PAGES, quickN: PAGES, ours: move, other: naturalMove }),
];
