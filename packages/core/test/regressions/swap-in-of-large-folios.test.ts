import { beforeEach, describe, expect, it } from 'vitest';
import {
  type Address,
  type Folio,
  Kernel,
  type KernelOptions,
  MADV_DONTNEED,
  MADV_HUGEPAGE,
  MADV_PAGEOUT,
  MADV_WILLNEED,
  MREMAP_FIXED,
  MREMAP_MAYMOVE,
  type Op,
  PAGE_SIZE,
  PROT_READ,
  type Process,
  type RmapServices,
} from '../../src/index.js';
import { ScanAll, scanAll } from '../support/scan-all.js';

const page = (n: number): Address => (0x100000000000 + n * PAGE_SIZE) as Address;
const PAGES = [...Array(16).keys()];
let kernel: Kernel;
let process: Process;
const infos = (of: Process, first = 0) => PAGES.map((n) => of.pageAt(page(first + n)));
const kinds = (of: Process, first = 0): string[] => [...new Set(infos(of, first).map(({ kind }) => kind))];
const pageOut = (): void => process.madvise(page(0), 16 * PAGE_SIZE, MADV_PAGEOUT);

/** A folio of 16 pages, all written. */
function touched(options: Partial<KernelOptions> = {}): void {
  kernel = new Kernel({ strategy: scanAll(), thp: { orders: { 2: 'madvise', 4: 'madvise' } }, ...options });
  process = kernel.spawn();
  process.mmap(64 * PAGE_SIZE, { at: page(0) });
  process.madvise(page(0), 64 * PAGE_SIZE, MADV_HUGEPAGE);
  for (const n of PAGES) process.fill(page(n), n + 1);
}

function alone<T>(op: Op<T>): T {
  for (;;) {
    const { done, value } = op.next();
    if (done) return value as T;
  }
}

// Every page was a folio of its own when it came back.
describe('a folio in swap', () => {
  beforeEach(() => touched());

  it('comes back as one, exclusive, with its contents', () => {
    pageOut();
    process.read(page(5));
    expect(infos(process).map(({ order, exclusive, writable, version }) => [order, exclusive, writable, version])).toEqual(
      PAGES.map((n) => [4, true, true, -n - 1]),
    );
    expect(kernel.stats()).toMatchObject({ swap: { live: 0 }, pages: { live: 16 } });
    kernel.verify();
  });

  it('comes back in as large pieces as are left, page by page where memory is short', () => {
    pageOut();
    process.madvise(page(0), PAGE_SIZE, MADV_DONTNEED);
    process.read(page(5));
    process.read(page(1));
    expect(infos(process).map(({ order, kind }) => (kind === 'anonymous' ? order : kind))).toEqual(
      ['none', 0, 'swap', 'swap', 2, 2, 2, 2].concat(Array(8).fill('swap')),
    );
    kernel.failNextAllocation(1, 1);
    process.read(page(9));
    expect(process.pageAt(page(9)).order).toBe(0);
    kernel.failNextAllocation(0);
    kernel.verify();
  });

  it.each([
    [48, 'anonymous', 'where it was moved to another place of the same alignment'],
    [33, 'swap', 'not where it was moved to another alignment'],
  ])('comes back as one at page %i: %s, %s', (to, rest) => {
    pageOut();
    process.munmap(page(to), 16 * PAGE_SIZE);
    process.mremap(page(0), 16 * PAGE_SIZE, 16 * PAGE_SIZE, { flags: MREMAP_MAYMOVE | MREMAP_FIXED, to: page(to) });
    process.read(page(to));
    expect(process.pageAt(page(to + 15)).kind).toBe(rest);
    kernel.verify();
  });

  it('comes back page by page to memory of a userfaultfd, of which one is in the swap cache, and that a relative has too', () => {
    pageOut();
    process.uffdRegister(page(0), 64 * PAGE_SIZE);
    process.read(page(0));
    process.uffdRegister(page(0), 64 * PAGE_SIZE, false);
    expect(process.pageAt(page(1)).kind).toBe('swap');
    pageOut();
    process.madvise(page(4), PAGE_SIZE, MADV_WILLNEED);
    process.read(page(5));
    expect(process.pageAt(page(6)).kind).toBe('swap');
    const child = process.fork();
    process.read(page(8));
    expect(process.pageAt(page(9)).kind).toBe('swap');
    child.exit();
    kernel.verify();
  });

  it('that is in the swap cache is mapped as a whole again by those that have all of it', () => {
    const part = process.fork();
    part.munmap(page(3), PAGE_SIZE);
    const keeper = process.fork();
    keeper.mprotect(page(0), 16 * PAGE_SIZE, PROT_READ);
    keeper.mlock(page(0), 8 * PAGE_SIZE);
    expect(kernel.reclaim(process.folioAt(page(0)) as Folio)).toBe('locked');
    expect([kinds(process), kinds(part), kinds(keeper)]).toEqual([['swap'], ['swap', 'none'], ['anonymous']]);
    process.read(page(5));
    part.read(page(5));
    expect([process.pageAt(page(6)), part.pageAt(page(6)).kind]).toMatchObject([{ mapcount: 2, exclusive: false }, 'swap']);
    part.exit();
    keeper.exit();
    process.write(page(0));
    expect(process.pageAt(page(0))).toMatchObject({ order: 4, exclusive: true });
    kernel.verify();
  });
});

// 1. A thread read a page back, and had yet to map it.
// 2. Another one was faster, wrote to its own, and gave it to swap again, to the same slot.
// 3. The entry looked as before, so the first thread mapped what it had read.
it('what a thread has read from swap does not replace what another one wrote since', () => {
  touched({ stepping: true, thp: { orders: {} } });
  alone(process.op.madvise(page(0), PAGE_SIZE, MADV_PAGEOUT));
  const reader = process.op.read(page(0));
  while (reader.next().value?.kind !== 'lock');
  const writer = process.op.write(page(0));
  let step = writer.next();
  while (!step.done && step.value.enabled?.() !== false) step = writer.next();
  const met = !step.done;
  if (!met) alone(process.op.madvise(page(0), PAGE_SIZE, MADV_PAGEOUT));
  alone(reader);
  if (met) alone(writer);
  expect(process.pageAt(page(0)).version).toBeGreaterThan(0);
  expect(kernel.stats().swap.live).toBe(0);
});

class OutOfReach extends ScanAll {
  override reaches(): boolean {
    return false;
  }
}

it('swapoff maps copies read-only and old', () => {
  touched({ strategy: { ...scanAll(), create: (services: RmapServices) => new OutOfReach(services) } });
  process.mmap(PAGE_SIZE, { at: page(100) });
  process.write(page(100));
  const child = process.fork();
  kernel.reclaim(process.folioAt(page(100)) as Folio);
  process.read(page(100));
  kernel.swapOff();
  expect(child.pageAt(page(100))).toMatchObject({ kind: 'anonymous', exclusive: true, writable: false, mapcount: 1 });
  expect(kernel.referenced(child.folioAt(page(100)) as Folio).references).toBe(0);
});

it('the last one that has a page in swap frees the space of a page that is mapped where more than half is in use', () => {
  touched({ swap: 4 * PAGE_SIZE, thp: { orders: {} } });
  const child = process.fork();
  const comeBack = (n: number): void => {
    kernel.reclaim(process.folioAt(page(n)) as Folio);
    process.read(page(n));
    child.munmap(page(n), PAGE_SIZE);
  };
  comeBack(0);
  comeBack(1);
  expect(kernel.stats().swap).toEqual({ live: 2, cached: 2 });
  comeBack(2);
  expect(kernel.stats().swap).toEqual({ live: 2, cached: 2 });
  kernel.verify();
});

it('a page that comes back gives up its swap space where more than half is in use', () => {
  touched({ swap: 4 * PAGE_SIZE, thp: { orders: {} } });
  const child = process.fork();
  for (const n of [0, 1]) kernel.reclaim(process.folioAt(page(n)) as Folio);
  for (const each of [process, child]) each.read(page(0));
  expect(kernel.stats().swap).toEqual({ live: 2, cached: 1 });
  kernel.reclaim(process.folioAt(page(2)) as Folio);
  for (const each of [process, child]) each.read(page(1));
  expect(kernel.stats().swap).toEqual({ live: 2, cached: 1 });
});
