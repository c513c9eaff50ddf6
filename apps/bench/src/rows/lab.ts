import {
  type Address,
  Kernel,
  PAGE_SIZE,
  PROT_EXEC,
  PROT_READ,
  PROT_WRITE,
  type Process,
  type RmapStrategy,
} from '@rmap-lab/core';

/** Where the natural model keeps its memory, in pages. */
export const BASE = 0x7f0000000;

export const newKernel = (strategy: RmapStrategy): Kernel => new Kernel({ strategy, maxMapCount: 2 ** 20 });

export const pageAt = (base: Address, page: number): Address => (base + page * PAGE_SIZE) as Address;

/** Writes to the first `pages` pages from `at`, one after the other. */
export function writePages(process: Process, at: Address, pages: number): void {
  const end = at + pages * PAGE_SIZE;
  for (let address = at; address < end; address = (address + PAGE_SIZE) as Address) process.write(address);
}

/** A process with `pages` of memory that were all written to. */
export function touched(pages: number, strategy: RmapStrategy): { kernel: Kernel; process: Process; at: Address } {
  const kernel = newKernel(strategy);
  const process = kernel.spawn();
  const at = process.mmap(pages * PAGE_SIZE);
  writePages(process, at, pages);
  return { kernel, process, at };
}

/** A process with `count` VMAs of one page, which can't merge, with holes of one page between them. */
export function manyVmas(count: number, strategy: RmapStrategy): { kernel: Kernel; process: Process; places: Address[] } {
  const kernel = newKernel(strategy);
  const process = kernel.spawn();
  const places: Address[] = [];
  for (let i = 0; i < count; i++) {
    const at = process.mmap(2 * PAGE_SIZE, { prot: i % 2 === 0 ? PROT_READ | PROT_WRITE : PROT_READ | PROT_WRITE | PROT_EXEC });
    process.munmap(pageAt(at, 1), PAGE_SIZE);
    places.push(at);
  }
  return { kernel, process, places };
}

/** `value`, or an error when the work that was measured went wrong. */
export function expect(value: number, wanted: number, what: string): void {
  if (value !== wanted) throw new RangeError(`${what}: ${value} instead of ${wanted}`);
}

/** `count` numbers in [0, 1), the same each time: a linear congruence. */
export function* fractions(count: number, seed: number): Generator<number> {
  for (let i = 0, state = seed; i < count; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    yield state / 2 ** 32;
  }
}
