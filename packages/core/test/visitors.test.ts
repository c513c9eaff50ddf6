import { beforeEach, describe, expect, it } from 'vitest';
import {
  type Address,
  type Folio,
  Kernel,
  MADV_COLD,
  MADV_FREE,
  MADV_HUGEPAGE,
  PAGE_SIZE,
  type Pfn,
  type Process,
} from '../src/index.js';
import { scanAll } from './support/scan-all.js';

let kernel: Kernel;
let process: Process;
let at: Address;
let folio: Folio;

beforeEach(() => {
  kernel = new Kernel({ strategy: scanAll() });
  process = kernel.spawn();
  at = process.mmap(PAGE_SIZE);
  process.write(at);
  folio = process.folioAt(at) as Folio;
});

describe('referenced', () => {
  it('counts accessed entries and makes them old; a forked entry starts old', () => {
    const child = process.fork();
    expect(kernel.referenced(folio)).toEqual({ references: 1, mappings: 2, locked: false });
    expect(kernel.referenced(folio)).toEqual({ references: 0, mappings: 2, locked: false });
    child.read(at);
    process.read(at);
    expect(kernel.referenced(folio).references).toBe(2);
  });

  // Every page counted, so a large folio looked busier than as many small ones of one VMA do to reclaim.
  it('counts a VMA once, however many pages of a large folio were used there', () => {
    kernel = new Kernel({ strategy: scanAll(), thp: { orders: { 4: 'always' } } });
    process = kernel.spawn();
    at = 0x100000000000 as Address;
    process.mapAt(at, 16 * PAGE_SIZE);
    process.write(at);
    const child = process.fork();
    for (const n of [2, 3, 7]) child.read((at + n * PAGE_SIZE) as Address);
    expect(kernel.referenced(process.folioAt(at) as Folio)).toEqual({ references: 2, mappings: 32, locked: false });
  });

  it.each<[string, () => unknown]>([
    ['referenced', () => kernel.referenced(folio)],
    ['reclaim', () => kernel.reclaim(folio)],
    ['a migration', () => kernel.startMigration(folio)],
  ])('%s looks no further than the last mapping', (_name, walk) => {
    const other = kernel.spawn();
    other.mapAt(at, PAGE_SIZE);
    other.write(at);
    const looked = (): number => kernel.stats().locks.ptl.writes;
    const before = looked();
    walk();
    expect(looked() - before).toBe(1);
  });

  it('stops at a locked mapping', () => {
    process.mlock(at, PAGE_SIZE);
    expect(kernel.referenced(folio)).toMatchObject({ locked: true });
  });
});

describe('page idle tracking', () => {
  it('sees a use by any process, also of locked memory, and only once', () => {
    process.mlock(at, PAGE_SIZE);
    const child = process.fork();
    expect(kernel.idle(folio)).toBe(false);
    expect(kernel.idle(folio)).toBe(true);
    child.read(at);
    expect(kernel.idle(folio)).toBe(false);
    kernel.verify();
  });

  it('leaves word of a use for reclaim, once', () => {
    process.fork();
    expect(kernel.idle(folio)).toBe(false);
    expect([kernel.referenced(folio), kernel.referenced(folio)]).toMatchObject([{ references: 1 }, { references: 0 }]);
  });

  it('leaves word of a use with each piece of a folio, and with the one that takes its place', () => {
    kernel = new Kernel({ strategy: scanAll(), thp: { orders: { 4: 'always' } } });
    process = kernel.spawn();
    at = 0x100000000000 as Address;
    process.mapAt(at, 16 * PAGE_SIZE);
    for (let n = 0; n < 16; n++) process.write((at + n * PAGE_SIZE) as Address);
    expect(kernel.idle(process.folioAt(at) as Folio)).toBe(false);
    const moved = kernel.migrate(process.folioAt(at) as Folio) as Folio;
    expect(kernel.splitFolio(moved)).toBe(true);
    for (let n = 0; n < 16; n++) {
      expect(kernel.referenced(process.folioAt((at + n * PAGE_SIZE) as Address) as Folio).references).toBe(1);
    }
  });

  it('leaves no word of a use of memory that is cold since', () => {
    expect(kernel.idle(folio)).toBe(false);
    process.madvise(at, PAGE_SIZE, MADV_COLD);
    expect(kernel.referenced(folio).references).toBe(0);
  });
});

describe('memory failure', () => {
  it('finds who maps one page of a large folio, by PMD and by PTE', () => {
    const MIB2 = 512 * PAGE_SIZE;
    const base = 0x100000000000 as Address;
    process.mapAt(base, MIB2);
    process.madvise(base, MIB2, MADV_HUGEPAGE);
    process.write(base);
    const page = (base + 7 * PAGE_SIZE) as Address;
    const child = process.fork();
    child.munmap(base, PAGE_SIZE);
    const grandchild = child.fork();
    grandchild.write(page);
    const victims = kernel.victims(process.pageAt(page).pfn as Pfn);
    expect(victims).toEqual([
      { process, address: page },
      { process: child, address: page },
    ]);
  });
});

describe('reclaim of lazily freeable memory', () => {
  it('drops the page from every process that maps it; it reads as zeros then', () => {
    process.madvise(at, PAGE_SIZE, MADV_FREE);
    const child = process.fork();
    expect(kernel.reclaim(folio)).toBe('reclaimed');
    expect([process.folioAt(at), child.folioAt(at)]).toEqual([null, null]);
    expect(kernel.stats().pages.live).toBe(0);
    process.read(at);
    expect(process.pageAt(at)).toMatchObject({ kind: 'zero', version: 0 });
    kernel.verify();
  });

  it('keeps a page that was written again; the next time it goes to swap', () => {
    process.madvise(at, PAGE_SIZE, MADV_FREE);
    process.write(at);
    expect(kernel.reclaim(folio)).toBe('dirty');
    expect(process.folioAt(at)).toBe(folio);
    expect(kernel.reclaim(folio)).toBe('reclaimed');
    expect(process.pageAt(at).kind).toBe('swap');
    kernel.verify();
  });

  it('keeps a page that a locked mapping holds', () => {
    process.madvise(at, PAGE_SIZE, MADV_FREE);
    process.mlock(at, PAGE_SIZE);
    expect(kernel.reclaim(folio)).toBe('locked');
    kernel.verify();
  });

  it('has nothing to do with a page that is not mapped', () => {
    process.munmap(at, PAGE_SIZE);
    expect(kernel.reclaim(folio)).toBe('not-mapped');
  });
});
