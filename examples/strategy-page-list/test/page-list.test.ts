import { cases, runCase } from '@rmap-lab/conformance-suite';
import { Kernel, KiB, PAGE_SIZE } from '@rmap-lab/core';
import { describe, expect, it } from 'vitest';
import { pageList } from '../src/index.js';

const places = (kernel: Kernel): number => kernel.stats().slab.pte_chain?.live ?? 0;
describe('a list of places', () => {
  it('names exactly the entries that map the page: no candidate is looked at in vain', () => {
    const kernel = new Kernel({ strategy: pageList() });
    const parent = kernel.spawn();
    const at = parent.mmap(64 * KiB);
    parent.write(at);
    const children = Array.from({ length: 8 }, () => parent.fork());
    for (const child of children.slice(0, 4)) child.write(at);
    const folio = parent.folioAt(at);
    expect(folio).not.toBeNull();
    const { found, candidates } = kernel.walk(folio!);
    expect(found).toHaveLength(5);
    expect(candidates).toBe(5);
  });

  it('costs a place for each entry: what fork has to write, and why 2.6 gave it up', () => {
    const kernel = new Kernel({ strategy: pageList() });
    const parent = kernel.spawn();
    const at = parent.mmap(256 * PAGE_SIZE);
    for (let page = 0; page < 256; page++) parent.write((at + page * PAGE_SIZE) as typeof at);
    const before = places(kernel);
    for (let n = 0; n < 4; n++) parent.fork();
    expect(places(kernel) - before).toBeGreaterThanOrEqual(4 * 256);
  });

  it('is empty when everybody has gone', () => {
    const kernel = new Kernel({ strategy: pageList() });
    const parent = kernel.spawn();
    parent.write(parent.mmap(64 * KiB));
    parent.fork();
    for (const process of [...kernel.processes]) process.exit();
    expect(places(kernel)).toBe(0);
    expect(kernel.verify().missed).toBe(0);
  });

  /** No two preemptions show it: twice the walk waited for a gate where the entry had been, and once it had come back passed it over. */
  it('finds an entry that moves away and back while a walk waits', () => {
    const moving = cases.find(({ id }) => id === 'concurrency/lone-move-and-back-x-walk');
    const { message, everyInterleaving } = runCase(moving!, pageList(), { preemptions: Number.POSITIVE_INFINITY });
    expect({ message, everyInterleaving }).toEqual({ message: null, everyInterleaving: true });
  });
});
