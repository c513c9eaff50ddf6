import { type Kernel, PAGE_SIZE } from '@rmap-lab/core';
import { describe, expect, it } from 'vitest';
import type { AnonVma } from '../src/anon-vma.js';
import type { VmaFields } from '../src/anon-vma-chain.js';
import { AT, folioOf, Opened } from './opened.js';

const counted = ({ kernel }: { kernel: Kernel }, what: string): number => kernel.stats().counts[what] ?? 0;

describe('a walk', () => {
  it('counts the VMAs that it offers and the nodes of the tree that it looks at', () => {
    const t = new Opened();
    const parent = t.spawn();
    for (let i = 0; i < 9; i++) parent.fork();
    const folio = folioOf(parent);
    const before = ['candidate', 'tree-node'].map((what) => counted(t, what));
    expect(t.kernel.walk(folio).candidates).toBe(10);
    const [candidates, nodes] = ['candidate', 'tree-node'].map((what, i) => counted(t, what) - before[i]);
    expect(candidates).toBe(10);
    expect(nodes).toBeGreaterThanOrEqual(10);
    expect(nodes).toBeLessThan(30);
  });
});

describe('an anon_vma whose last VMA goes', () => {
  /** What `unlink` sees of a VMA. */
  const anonVmaOf = (t: Opened): AnonVma => {
    const { state } = t.rmap as unknown as { state: { vmas: { of(vma: object): VmaFields } } };
    return state.vmas.of(t.vmaOf(t.kernel.processes[0])).anonVma as AnonVma;
  };

  it.each([
    ['numChildren', 'an anon_vma without VMAs counts 1 children and 0 active VMAs'],
    ['numActiveVmas', 'an anon_vma without VMAs counts 0 children and 1 active VMAs'],
  ] as const)('with %s counted wrong is reported, as the kernel warns (R15)', (count, message) => {
    const t = new Opened();
    const process = t.spawn();
    anonVmaOf(t)[count]++;
    expect(() => process.munmap(AT, PAGE_SIZE)).toThrow(message);
  });
});

describe('the lock of a family', () => {
  it('is taken as often as Linux takes it: freeing an anon_vma looks first whether anybody holds it', () => {
    const t = new Opened();
    const parent = t.spawn();
    const taken = (): number => t.kernel.stats().locks.anon_vma.writes;
    expect(taken()).toBe(1); // __anon_vma_prepare
    const child = parent.fork();
    expect(taken()).toBe(3); // anon_vma_clone, anon_vma_fork
    parent.exit();
    expect(taken()).toBe(4); // unlink_anon_vmas
    child.exit();
    expect(taken()).toBe(5); // unlink_anon_vmas, which frees both
    expect(t.kernel.stats().slab.anon_vma.live).toBe(0);
  });
});
