import { describe, expect, it } from 'vitest';
import { type Address, Kernel, MREMAP_FIXED, MREMAP_MAYMOVE, PAGE_SIZE, type Process } from '../../src/index.js';
import { VM_ACCOUNT } from '../../src/vma/vm-flags.js';
import { scanAll } from '../support/scan-all.js';

const BASE = 0x10000000 as Address;
const layout = (process: Process): string =>
  process
    .vmas()
    .map(({ start, end, flags }) => `${start / PAGE_SIZE - 0x10000}-${end / PAGE_SIZE - 0x10000} ${(flags & VM_ACCOUNT) !== 0}`)
    .join(', ');

/** Two pages move out of the middle of eight, and the `n`th allocation fails; what is mapped afterwards. */
function moveWithout(n: number, stepping: boolean): { moved: boolean; process: Process } {
  const kernel = new Kernel({ strategy: scanAll(), stepping });
  const process = kernel.spawn();
  const from = (process.mapAt(BASE, 8 * PAGE_SIZE) + 2 * PAGE_SIZE) as Address;
  process.write(from);
  kernel.failNextAllocation(n);
  const to = (BASE + 64 * PAGE_SIZE) as Address;
  let moved = true;
  try {
    process.mremap(from, 2 * PAGE_SIZE, 2 * PAGE_SIZE, { flags: MREMAP_MAYMOVE | MREMAP_FIXED, to });
  } catch {
    moved = false;
  }
  kernel.failNextAllocation(0);
  kernel.verify();
  return { moved, process };
}

/*
 * 1. A move takes pages out of the middle of a VMA; the copy is accounted for in their stead.
 * 2. The source is unmapped, which takes memory off the account, so the kernel clears VM_ACCOUNT of the whole VMA meanwhile.
 * 3. No memory for a split: the move has succeeded all the same, and what is left of the source is never accounted for again.
 */
describe.each([false, true])('stepping: %s', (stepping) => {
  it('a source that could not be unmapped is not accounted for any more, nor a part that was split off before', () => {
    const seen = new Set<string>();
    for (let n = 1; n < 12; n++) {
      const { moved, process } = moveWithout(n, stepping);
      seen.add(`${moved ? 'moved' : 'failed'}: ${layout(process)}`);
    }
    expect([...seen].sort()).toEqual([
      'failed: 0-8 true',
      'moved: 0-2 false, 2-8 false, 64-66 true',
      'moved: 0-2 true, 4-8 true, 64-66 true',
      'moved: 0-8 false, 64-66 true',
    ]);
  });

  it('so it does not merge with its new neighbour', () => {
    const failing = Array.from({ length: 12 }, (_, n) => moveWithout(n + 1, stepping)).find(
      ({ process }) => layout(process) === '0-8 false, 64-66 true',
    );
    const process = failing?.process as Process;
    process.mapAt((BASE + 8 * PAGE_SIZE) as Address, PAGE_SIZE);
    expect(layout(process)).toBe('0-8 false, 8-9 true, 64-66 true');
  });
});
