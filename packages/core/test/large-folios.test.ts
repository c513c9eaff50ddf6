import { describe, expect, it } from 'vitest';
import {
  type Address,
  type Folio,
  Kernel,
  KernelError,
  type KernelOptions,
  MADV_COLLAPSE,
  MADV_DONTNEED,
  MADV_FREE,
  MADV_HUGEPAGE,
  MADV_NOHUGEPAGE,
  MAP_ANONYMOUS,
  MAP_FIXED,
  MAP_PRIVATE,
  MREMAP_FIXED,
  MREMAP_MAYMOVE,
  PAGE_SIZE,
  PROT_READ,
  PROT_WRITE,
  type Process,
} from '../src/index.js';
import { scanAll } from './support/scan-all.js';

const MIB2 = 512 * PAGE_SIZE;
const BASE = 0x100000000000 as Address;
const page = (n: number): Address => (BASE + n * PAGE_SIZE) as Address;

/** A machine whose orders all follow `enabled`, and a process with 4 MiB that wants large folios. */
function start(options: Partial<KernelOptions> = {}): { kernel: Kernel; process: Process } {
  const kernel = new Kernel({ strategy: scanAll(), ...options });
  const process = kernel.spawn();
  process.mmap(2 * MIB2, { at: BASE, flags: MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS });
  process.madvise(BASE, 2 * MIB2, MADV_HUGEPAGE);
  return { kernel, process };
}

const look = (process: Process, n: number) => {
  const { kind, order, byPmd, mapcount, exclusive, writable } = process.pageAt(page(n));
  return { kind, order, byPmd, mapcount, exclusive, writable };
};
const HUGE = { kind: 'anonymous', order: 9, byPmd: true, mapcount: 1, exclusive: true, writable: true };
const small = (mapcount: number, exclusive: boolean, writable: boolean, order = 0) => ({
  kind: 'anonymous',
  order,
  byPmd: false,
  mapcount,
  exclusive,
  writable,
});

describe('a first touch', () => {
  it('takes a folio of PMD size where MADV_HUGEPAGE asks for it, and single pages elsewhere', () => {
    const { kernel, process } = start();
    process.write(page(7));
    expect(look(process, 7)).toEqual(HUGE);
    expect(look(process, 511)).toEqual(HUGE);
    expect(look(process, 512).kind).toBe('none');
    process.madvise(page(512), MIB2, MADV_NOHUGEPAGE);
    process.write(page(520));
    expect(look(process, 520)).toEqual(small(1, true, true));
    expect(kernel.verify()).toMatchObject({ folios: 2, mappings: 2 });
    expect(kernel.stats().pages.live).toBe(513);
  });

  it('by a read maps the huge zero page and still prepares the VMA; a write then takes a folio', () => {
    const { kernel, process } = start();
    process.read(page(3));
    expect(look(process, 3).kind).toBe('zero');
    expect(process.vmas()[0].faulted).toBe(true);
    expect(kernel.stats().pages.live).toBe(0);
    process.write(page(3));
    expect(look(process, 4)).toEqual(HUGE);
    kernel.verify();
  });

  it('takes single pages where the aligned range does not fit into the VMA, or where an entry is', () => {
    const { kernel, process } = start();
    process.munmap(page(1000), 24 * PAGE_SIZE);
    process.write(page(600));
    expect(look(process, 600)).toEqual(small(1, true, true));
    kernel.verify();
  });

  it('takes the largest enabled order that fits, PTE-mapped, aligned by address', () => {
    const { kernel, process } = start({ thp: { orders: { 2: 'madvise', 4: 'always' } } });
    process.write(page(21));
    expect(look(process, 16)).toEqual(small(1, true, true, 4));
    expect(look(process, 31)).toEqual(small(1, true, true, 4));
    expect(look(process, 32).kind).toBe('none');
    process.mmap(PAGE_SIZE, { at: page(40), flags: MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS });
    process.write(page(37));
    expect(look(process, 36)).toEqual(small(1, true, true, 2));
    expect(look(process, 32).kind).toBe('none');
    expect(kernel.verify()).toMatchObject({ folios: 2, mappings: 20 });
  });

  it('falls back to single pages when no large folio can be had', () => {
    const { kernel, process } = start({ memory: 256 * PAGE_SIZE });
    process.write(page(0));
    expect(look(process, 0)).toEqual(small(1, true, true));
    kernel.verify();
  });
});

describe('a folio of PMD size that is shared by fork', () => {
  it('is mapped by two PMD entries; a write splits the PMD and copies one page only', () => {
    const { kernel, process } = start();
    process.write(page(2));
    const child = process.fork();
    expect(look(process, 2)).toEqual({ ...HUGE, mapcount: 2, exclusive: false, writable: false });
    child.write(page(2));
    expect(look(child, 2)).toEqual(small(1, true, true));
    expect(look(child, 3)).toEqual(small(2, false, false, 9));
    expect(look(process, 2)).toMatchObject({ byPmd: true, mapcount: 1, exclusive: false });
    expect(look(process, 3)).toMatchObject({ byPmd: true, mapcount: 2 });
    kernel.verify();
    child.exit();
    process.write(page(2));
    expect(look(process, 2)).toEqual(HUGE);
    kernel.verify();
  });

  it('is found by a walk at every place, by PMD and by PTE', () => {
    const { kernel, process } = start();
    process.write(page(0));
    const child = process.fork();
    child.munmap(page(0), 100 * PAGE_SIZE);
    const folio = process.folioAt(page(0)) as Folio;
    const { found } = kernel.walk(folio);
    expect(found).toHaveLength(1 + 412);
    expect(new Set(found.map((mapping) => mapping.process))).toEqual(new Set([process, child]));
    kernel.verify();
  });
});

describe('a CoW of a shared folio that PTEs map', () => {
  it('copies single pages; the last address space reuses page by page, and the folio keeps its anchor', () => {
    const { kernel, process } = start({ thp: { orders: { 4: 'always' } } });
    process.write(page(0));
    const child = process.fork();
    child.write(page(5));
    expect(look(child, 5)).toEqual(small(1, true, true));
    expect(look(process, 5)).toEqual(small(1, false, false, 4));
    expect(look(process, 6)).toEqual(small(2, false, false, 4));
    child.exit();
    process.write(page(5));
    expect(look(process, 5)).toEqual(small(1, true, true, 4));
    expect(look(process, 6)).toEqual(small(1, false, false, 4));
    kernel.verify();
  });

  it('copies while another address space may map the folio, even this page alone', () => {
    const { kernel, process } = start({ thp: { orders: { 4: 'always' } } });
    process.write(page(0));
    const child = process.fork();
    child.munmap(page(0), 3 * PAGE_SIZE);
    const before = process.pageAt(page(0)).pfn;
    process.write(page(0));
    expect(process.pageAt(page(0)).pfn).not.toBe(before);
    kernel.verify();
  });
});

describe('operations on a part of a folio', () => {
  it.each<[string, (process: Process) => void]>([
    ['munmap', (p) => p.munmap(page(10), 5 * PAGE_SIZE)],
    ['mprotect', (p) => p.mprotect(page(10), 5 * PAGE_SIZE, PROT_READ)],
    ['MADV_DONTNEED', (p) => p.madvise(page(10), 5 * PAGE_SIZE, MADV_DONTNEED)],
    [
      'mremap',
      (p) => {
        p.mremap(page(10), 5 * PAGE_SIZE, 5 * PAGE_SIZE, { flags: MREMAP_MAYMOVE | MREMAP_FIXED, to: page(5000) });
      },
    ],
  ])('%s splits the PMD in place, not the folio', (_name, operate) => {
    const { kernel, process } = start();
    process.write(page(0));
    const folio = process.folioAt(page(0));
    operate(process);
    expect(look(process, 0)).toEqual(small(1, true, true, 9));
    expect(process.folioAt(page(100))).toBe(folio);
    kernel.verify();
  });

  it('leave a folio that memory pressure splits; what nothing maps is freed', () => {
    const { kernel, process } = start();
    for (let n = 0; n < 512; n++) process.write(page(n));
    process.munmap(page(10), 5 * PAGE_SIZE);
    expect(kernel.stats().pages.live).toBe(512);
    expect(kernel.splitDeferred()).toBe(1);
    expect(kernel.stats().pages.live).toBe(507);
    expect(look(process, 0)).toEqual(small(1, true, true));
    expect(kernel.splitDeferred()).toBe(0);
    expect(kernel.verify()).toMatchObject({ folios: 507, mappings: 507 });
  });

  it('MADV_FREE of a part splits the folio', () => {
    const { kernel, process } = start();
    process.write(page(0));
    process.write(page(8));
    process.madvise(page(0), 8 * PAGE_SIZE, MADV_FREE);
    expect(look(process, 0).order).toBe(0);
    expect(kernel.reclaim(process.folioAt(page(0)) as Folio)).toBe('reclaimed');
    expect(process.pageAt(page(0)).kind).toBe('none');
    expect(kernel.reclaim(process.folioAt(page(8)) as Folio)).toBe('reclaimed');
    expect(process.pageAt(page(8)).kind).toBe('swap');
    kernel.verify();
  });
});

describe('mremap of whole folios', () => {
  it('moves the PMD entry to an aligned place', () => {
    const { kernel, process } = start();
    process.write(page(0));
    const folio = process.folioAt(page(0));
    process.mremap(page(0), MIB2, MIB2, { flags: MREMAP_MAYMOVE | MREMAP_FIXED, to: page(4096) });
    expect(look(process, 4096)).toEqual(HUGE);
    expect(process.folioAt(page(4100))).toBe(folio);
    kernel.verify();
  });

  it('splits the PMD on its way to an unaligned place', () => {
    const { kernel, process } = start();
    process.write(page(0));
    process.mremap(page(0), MIB2, MIB2, { flags: MREMAP_MAYMOVE | MREMAP_FIXED, to: page(4099) });
    expect(look(process, 4099)).toEqual(small(1, true, true, 9));
    kernel.verify();
  });
});

describe('a folio split', () => {
  it('makes single pages, each still exclusive where it was', () => {
    const { kernel, process } = start();
    for (let n = 0; n < 512; n++) process.write(page(n));
    const version = process.pageAt(page(9)).version;
    expect(kernel.splitFolio(process.folioAt(page(0)) as Folio)).toBe(true);
    expect(look(process, 9)).toEqual(small(1, true, true));
    expect(process.pageAt(page(9)).version).toBe(version);
    expect(kernel.verify()).toMatchObject({ folios: 512, mappings: 512 });
  });

  it('maps the zero page where a single page holds zeros, in every address space', () => {
    const { kernel, process } = start();
    process.write(page(9));
    const child = process.fork();
    expect(kernel.splitFolio(process.folioAt(page(0)) as Folio)).toBe(true);
    for (const each of [process, child]) {
      expect(look(each, 9)).toEqual(small(2, false, false));
      expect(each.pageAt(page(8)).kind).toBe('zero');
    }
    expect(kernel.stats().pages.live).toBe(1);
    expect(kernel.verify()).toMatchObject({ folios: 1, mappings: 2 });
  });

  it('leaves pages of zeros where memory is locked', () => {
    const { kernel, process } = start();
    process.mlock(page(0), MIB2);
    expect(kernel.splitFolio(process.folioAt(page(0)) as Folio)).toBe(true);
    expect(look(process, 8)).toEqual(small(1, true, true));
    kernel.verify();
  });

  it('into unequal pieces leaves them as large as they can be; none has two pages', () => {
    const { kernel, process } = start();
    process.write(page(0));
    expect(kernel.splitFolio(process.folioAt(page(0)) as Folio, { around: 5 })).toBe(true);
    const orders = [0, 1, 8, 16, 32, 64, 128, 256].map((n) => look(process, n).order);
    expect(orders).toEqual([2, 2, 3, 4, 5, 6, 7, 8]);
    expect([4, 5, 6, 7].map((n) => process.pageAt(page(n)).kind)).toEqual(Array(4).fill('zero'));
    kernel.verify();
  });

  it('reaches every address space that shares the folio', () => {
    const { kernel, process } = start();
    process.write(page(0));
    const child = process.fork();
    child.mprotect(page(0), 7 * PAGE_SIZE, PROT_READ);
    expect(kernel.splitFolio(process.folioAt(page(0)) as Folio, { order: 4 })).toBe(true);
    expect(look(process, 40)).toEqual(small(2, false, false, 4));
    expect(process.folioAt(page(40))).toBe(child.folioAt(page(47)));
    kernel.verify();
  });

  it('is refused for an order that anonymous folios do not have, and for a page outside', () => {
    const { kernel, process } = start();
    process.write(page(0));
    const folio = process.folioAt(page(0)) as Folio;
    expect(() => kernel.splitFolio(folio, { order: 1 })).toThrow(KernelError);
    expect(() => kernel.splitFolio(folio, { around: 512 })).toThrow(/512 pages/);
    kernel.verify();
  });
});

describe('khugepaged', () => {
  it('collapses used memory that asks for large folios, not what is mostly shared', () => {
    const kernel = new Kernel({ strategy: scanAll() });
    const process = kernel.spawn();
    process.mapAt(BASE, MIB2);
    for (let n = 0; n < 300; n++) process.write(page(n));
    expect(kernel.khugepagedScan()).toBe(0);
    process.madvise(BASE, MIB2, MADV_HUGEPAGE);
    const child = process.fork();
    expect(kernel.khugepagedScan()).toBe(0);
    child.exit();
    expect(kernel.khugepagedScan()).toBe(1);
    expect(look(process, 5)).toEqual(HUGE);
    expect(kernel.khugepagedScan()).toBe(0);
    kernel.verify();
  });

  it('counts every page of a folio as shared that another address space maps in part', () => {
    const { kernel, process } = start();
    process.write(page(0));
    const child = process.fork();
    child.munmap(page(0), 300 * PAGE_SIZE);
    process.mprotect(page(0), PAGE_SIZE, PROT_READ); // splits the PMD entry
    process.mprotect(page(0), PAGE_SIZE, PROT_READ | PROT_WRITE);
    for (let n = 0; n < 512; n++) process.read(page(n));
    expect([look(process, 0).mapcount, look(process, 300).mapcount, look(process, 0).byPmd]).toEqual([1, 2, false]);
    expect(kernel.khugepagedScan()).toBe(0);
    child.exit();
    expect(kernel.khugepagedScan()).toBe(1);
    kernel.verify();
  });
});

describe('MADV_COLLAPSE', () => {
  it('gathers pages, holes and zero pages into one folio and keeps the contents', () => {
    const { kernel, process } = start({ thp: { enabled: 'never' } });
    for (const n of [0, 3, 511]) process.write(page(n));
    process.read(page(4));
    const version = process.pageAt(page(3)).version;
    process.madvise(page(0), MIB2, MADV_COLLAPSE);
    expect(look(process, 200)).toEqual(HUGE);
    expect(process.pageAt(page(3)).version).toBe(version);
    expect(process.pageAt(page(4)).version).toBe(0);
    expect(kernel.stats().pages.live).toBe(512);
    kernel.verify();
    process.madvise(page(0), MIB2, MADV_COLLAPSE);
  });

  it('copies what is shared; the other address space keeps its pages', () => {
    const { kernel, process } = start({ thp: { enabled: 'never' } });
    process.write(page(0));
    const child = process.fork();
    process.madvise(page(0), MIB2, MADV_COLLAPSE);
    expect(look(process, 0)).toEqual(HUGE);
    expect(look(child, 0)).toEqual(small(1, false, false));
    kernel.verify();
  });

  it('takes a page that is in the swap cache still; what others name stays there', () => {
    const { kernel, process } = start({ thp: { enabled: 'never' } });
    process.write(page(0));
    const child = process.fork();
    kernel.reclaim(process.folioAt(page(0)) as Folio);
    process.read(page(0));
    expect(child.pageAt(page(0)).kind).toBe('swap');
    const { version } = process.pageAt(page(0));
    process.madvise(page(0), MIB2, MADV_COLLAPSE);
    expect(look(process, 0)).toEqual(HUGE);
    expect(process.pageAt(page(0)).version).toBe(version);
    expect(kernel.stats().swap).toEqual({ live: 1, cached: 1 });
    kernel.verify();
    child.read(page(0));
    expect(child.pageAt(page(0)).version).toBe(version);
    child.exit();
    expect(kernel.stats().swap).toEqual({ live: 0, cached: 0 });
    kernel.verify();
  });

  it('takes a page out of the swap cache that nobody else names', () => {
    const { kernel, process } = start({ thp: { enabled: 'never' } });
    process.write(page(0));
    const child = process.fork();
    kernel.reclaim(process.folioAt(page(0)) as Folio);
    process.read(page(0));
    child.exit();
    expect(kernel.stats().swap).toEqual({ live: 1, cached: 1 });
    process.madvise(page(0), MIB2, MADV_COLLAPSE);
    expect(kernel.stats().swap).toEqual({ live: 0, cached: 0 });
    expect(kernel.stats().pages.live).toBe(512);
    kernel.verify();
  });

  it('is refused where no large folio may be', () => {
    const { process } = start();
    expect(() => process.madvise(page(0), MIB2, MADV_COLLAPSE)).toThrow(/EINVAL/); // never touched
    process.write(page(0));
    process.madvise(page(0), 2 * MIB2, MADV_NOHUGEPAGE);
    expect(() => process.madvise(page(0), MIB2, MADV_COLLAPSE)).toThrow(/EINVAL/);
  });

  it('without memory changes nothing and says ENOMEM', () => {
    const { kernel, process } = start({ thp: { enabled: 'never' } });
    process.write(page(0));
    kernel.failNextAllocation(1);
    expect(() => process.madvise(page(0), MIB2, MADV_COLLAPSE)).toThrow(/ENOMEM/);
    expect(look(process, 0)).toEqual(small(1, true, true));
    kernel.verify();
    process.madvise(page(0), MIB2, MADV_COLLAPSE);
    expect(look(process, 0)).toEqual(HUGE);
  });
});

it('a folio of PMD size becomes writable again with its VMA when it is exclusive', () => {
  const { process } = start();
  process.write(page(0));
  process.mprotect(page(0), 2 * MIB2, PROT_READ);
  expect(look(process, 0)).toEqual({ ...HUGE, writable: false });
  process.mprotect(page(0), 2 * MIB2, PROT_READ | PROT_WRITE);
  expect(look(process, 0)).toEqual(HUGE);
});
