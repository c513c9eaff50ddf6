import { beforeEach, describe, expect, it } from 'vitest';
import { type Address, Kernel, PAGE_SIZE, type Process } from '../../src/index.js';
import { scanAll } from '../support/scan-all.js';

let process: Process;

beforeEach(() => {
  process = new Kernel({ strategy: scanAll() }).spawn();
});

// The heap grew out of whatever ended where it begins; the kernel looks no further down than its first page (vma_prev_limit).
describe('memory right below an empty heap', () => {
  const sizes = (): number[] => process.vmas().map(({ start, end }) => (end - start) / PAGE_SIZE);
  const grow = (pages: number): Address => process.brk((process.brk() + pages * PAGE_SIZE) as Address);
  beforeEach(() => process.mapAt((process.brk() - 2 * PAGE_SIZE) as Address, 2 * PAGE_SIZE));

  it('does not become part of it', () => {
    grow(1);
    expect(sizes()).toEqual([2, 1]);
    grow(1);
    expect(sizes()).toEqual([2, 2]);
  });
  it('nor when the heap was given back', () => {
    grow(3);
    grow(-3);
    grow(1);
    expect(sizes()).toEqual([2, 1]);
  });
});
