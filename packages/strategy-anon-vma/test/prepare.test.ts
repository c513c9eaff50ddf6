import { type Address, interleave, PAGE_SIZE, PROT_EXEC, PROT_READ, PROT_WRITE } from '@rmap-lab/core';
import { scheduler } from '@rmap-lab/strategy-tests';
import { expect, it } from 'vitest';
import { AT, Opened } from './opened.js';

const NEXT = (AT + PAGE_SIZE) as Address;

it("two first faults of a VMA at once, beside a neighbour whose anon_vma they may share, count it as the neighbour's alone", () => {
  for (let seed = 1; seed <= 300; seed++) {
    const t = new Opened({ stepping: true });
    const process = t.spawn();
    // Its rights keep the two from merging, not from sharing.
    process.mapAt(NEXT, PAGE_SIZE, { prot: PROT_READ | PROT_WRITE | PROT_EXEC });
    const thread = process.thread();
    interleave(t.kernel, { one: process.op.write(NEXT), two: thread.op.write(NEXT) }, scheduler(seed));
    const refcounts = t.kernel.inspect().nodes.flatMap(({ type, fields }) => (type === 'anon_vma' ? [fields.refcount] : []));
    expect(refcounts, `seed ${seed}`).toEqual([1]);
    expect(t.kernel.stats().slab.anon_vma_chain.live).toBe(2);
    thread.exit();
    process.exit();
    expect(t.kernel.stats().slab.anon_vma.live).toBe(0);
  }
});
