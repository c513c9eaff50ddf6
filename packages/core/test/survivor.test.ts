import { expect, it } from 'vitest';
import {
  type Address,
  Kernel,
  MAP_ANONYMOUS,
  MAP_FIXED,
  MAP_PRIVATE,
  PAGE_SIZE,
  PROT_READ,
  PROT_WRITE,
  type Vma,
} from '../src/index.js';
import { scanAll } from './support/scan-all.js';

const BASE = 0x100000000000;
const at = (page: number): Address => (BASE + page * PAGE_SIZE) as Address;
const flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;

/** Position of the VMA that is left when [10, 14) [14, 16) [16, 20) become one, by whom a strategy wants to survive. */
function survivorOf(choose?: (left: Vma, right: Vma) => Vma): number {
  const plain = scanAll();
  const create: typeof plain.create = (services) => Object.assign(plain.create(services), choose && { survivor: choose });
  const kernel = new Kernel({ strategy: { ...plain, create } });
  const process = kernel.spawn();
  process.mmap(10 * PAGE_SIZE, { at: at(10), flags });
  for (const page of [10, 15, 19]) process.write(at(page));
  process.mprotect(at(14), 2 * PAGE_SIZE, PROT_READ);
  const before = process.vmas().map(({ id }) => id);
  process.mprotect(at(14), 2 * PAGE_SIZE, PROT_READ | PROT_WRITE);
  kernel.verify();
  const [merged, ...others] = process.vmas();
  expect(others).toEqual([]);
  expect(merged).toMatchObject({ start: at(10), end: at(20), anonPgoff: at(10) / PAGE_SIZE });
  for (const page of [10, 15, 19]) expect(process.pageAt(at(page))).toMatchObject({ kind: 'anonymous' });
  process.exit();
  expect(kernel.stats().slab.vm_area_struct.live).toBe(0);
  return before.indexOf(merged.id);
}

it('of three VMAs that merge the lowest lives on, as in the kernel', () => expect(survivorOf()).toBe(0));
it('unless the strategy prefers another', () => {
  expect(survivorOf((_left, right) => right)).toBe(2);
  expect(survivorOf((left) => left)).toBe(0);
});
