import { expect, it } from 'vitest';
import { type Address, Kernel, NoMemory, PAGE_SIZE, type Process, type Rmap, type RmapServices } from '../../src/index.js';
import { scanAll } from '../support/scan-all.js';

const page = (n: number): Address => (0x100000000000 + n * PAGE_SIZE) as Address;
const VM_UFFD_MISSING = 0x200;
const ranges = (process: Process): number[] => process.vmas().map(({ start }) => (start - page(0)) / PAGE_SIZE);

/** Three pages, of which the second is registered; it alone was written to, so that a merge copies its reverse map. Memory for that can be taken away. */
function machine(): { kernel: Kernel; process: Process; memory: { left: boolean } } {
  const memory = { left: true };
  const strategy = scanAll();
  const create = (services: RmapServices): Rmap =>
    Object.assign(strategy.create(services), {
      clone: () => {
        if (!memory.left) throw new NoMemory('a copy');
      },
    });
  const kernel = new Kernel({ strategy: { ...strategy, create } });
  const process = kernel.spawn();
  process.mapAt(page(0), 3 * PAGE_SIZE);
  process.uffdRegister(page(1), PAGE_SIZE, true);
  process.write(page(1));
  return { kernel, process, memory };
}

// UFFDIO_UNREGISTER said ENOMEM.
it('memory is taken off a userfaultfd as a whole also when there is none for a merge', () => {
  const { kernel, process, memory } = machine();
  memory.left = false;
  process.uffdRegister(page(1), PAGE_SIZE, false);
  expect(ranges(process)).toEqual([0, 1, 2]);
  expect(process.vmas().every(({ flags }) => (flags & VM_UFFD_MISSING) === 0)).toBe(true);
  kernel.verify();
});

it('with memory it merges; without memory for a cut it is an error', () => {
  const { kernel, process, memory } = machine();
  process.uffdRegister(page(1), PAGE_SIZE, false);
  expect(ranges(process)).toEqual([0]);
  process.uffdRegister(page(0), 3 * PAGE_SIZE, true);
  memory.left = false;
  expect(() => process.uffdRegister(page(0), PAGE_SIZE, false)).toThrow('ENOMEM');
  kernel.verify();
});
