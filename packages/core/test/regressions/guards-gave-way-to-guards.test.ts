import { expect, it } from 'vitest';
import { type Address, Kernel, MADV_GUARD_INSTALL, NoMemory, type Op, PAGE_SIZE, type RmapServices } from '../../src/index.js';
import { errnoOf } from '../support/errno-of.js';
import { ScanAll, scanAll } from '../support/scan-all.js';

const page = (n: number): Address => (0x100000000000 + n * PAGE_SIZE) as Address;
const VM_MAYBE_GUARD = 0x800;

function alone<T>(op: Op<T>): T {
  for (;;) {
    const { done, value } = op.next();
    if (done) return value as T;
  }
}

// 1. A page was a guard, the next one was not.
// 2. MADV_GUARD_INSTALL of both cleared both, to begin again with markers.
// 3. A thread touched the first one in between, without a signal.
it('a guard page stays one while guards are installed around it', () => {
  const kernel = new Kernel({ strategy: scanAll(), stepping: true });
  const process = alone(kernel.op.spawn());
  alone(process.op.mmap(3 * PAGE_SIZE, { at: page(0) }));
  for (const n of [0, 2]) alone(process.op.write(page(n)));
  alone(process.op.madvise(page(1), PAGE_SIZE, MADV_GUARD_INSTALL));
  const install = process.op.madvise(page(0), 3 * PAGE_SIZE, MADV_GUARD_INSTALL);
  while (!install.next().done) expect(process.pageAt(page(1)).kind).toBe('guard');
  expect([0, 1, 2].map((n) => process.pageAt(page(n)).kind)).toEqual(['guard', 'guard', 'guard']);
});

class Unprepared extends ScanAll {
  override prepare(): void {
    throw new NoMemory('anon_vma');
  }
}

it('MADV_GUARD_INSTALL that finds no memory for the VMA has marked it, as the kernel has', () => {
  const kernel = new Kernel({ strategy: { ...scanAll(), create: (services: RmapServices) => new Unprepared(services) } });
  const process = kernel.spawn();
  process.mmap(PAGE_SIZE, { at: page(0) });
  expect(errnoOf(() => process.madvise(page(0), PAGE_SIZE, MADV_GUARD_INSTALL))).toBe('ENOMEM');
  expect(process.vmas()[0].flags & VM_MAYBE_GUARD).toBe(VM_MAYBE_GUARD);
});
