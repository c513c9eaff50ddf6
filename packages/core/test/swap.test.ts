import { beforeEach, describe, expect, it } from 'vitest';
import {
  type Address,
  type Folio,
  Kernel,
  MADV_FREE,
  MADV_HUGEPAGE,
  MADV_PAGEOUT,
  MAP_ANONYMOUS,
  MAP_FIXED,
  MAP_PRIVATE,
  MREMAP_MAYMOVE,
  PAGE_SIZE,
  PROT_EXEC,
  PROT_READ,
  PROT_WRITE,
  type Process,
  Unsupported,
} from '../src/index.js';
import { scanAll } from './support/scan-all.js';

let kernel: Kernel;
let process: Process;
let at: Address;
const folio = (): Folio => process.folioAt(at) as Folio;

beforeEach(() => {
  kernel = new Kernel({ strategy: scanAll() });
  process = kernel.spawn();
  at = process.mmap(2 * PAGE_SIZE);
  process.write(at);
});

describe('a page of one process', () => {
  it('leaves no frame behind, and comes back exclusive and with its contents by a read', () => {
    const { version } = process.pageAt(at);
    expect(kernel.reclaim(folio())).toBe('reclaimed');
    expect(process.pageAt(at).kind).toBe('swap');
    expect(kernel.stats().pages.live).toBe(0);
    process.read(at);
    expect(process.pageAt(at)).toMatchObject({ kind: 'anonymous', exclusive: true, writable: true, version });
    kernel.verify();
  });

  it('is gone with its slot when it is unmapped', () => {
    kernel.reclaim(folio());
    process.munmap(at, PAGE_SIZE);
    kernel.verify();
    expect(kernel.stats().swap).toEqual({ live: 0, cached: 0 });
  });

  it('is gone with the last mapping, once no entry names the slot any more', () => {
    kernel.reclaim(folio());
    const child = process.fork();
    child.read(at);
    process.munmap(at, PAGE_SIZE);
    expect(kernel.stats().swap).toEqual({ live: 1, cached: 1 });
    child.munmap(at, PAGE_SIZE);
    expect(kernel.stats().swap).toEqual({ live: 0, cached: 0 });
    expect(kernel.stats().pages.live).toBe(0);
  });

  it('travels as an entry by mremap', () => {
    kernel.reclaim(folio());
    const version = 1;
    const to = process.mremap(at, 2 * PAGE_SIZE, 4 * PAGE_SIZE, { flags: MREMAP_MAYMOVE });
    process.read(to);
    expect(process.pageAt(to)).toMatchObject({ kind: 'anonymous', version });
    kernel.verify();
  });

  it('stays when swap is full, and when it is locked', () => {
    const small = new Kernel({ strategy: scanAll(), swap: PAGE_SIZE });
    const p = small.spawn();
    const where = p.mmap(2 * PAGE_SIZE);
    p.write(where);
    p.write((where + PAGE_SIZE) as Address);
    expect(small.reclaim(p.folioAt(where) as Folio)).toBe('reclaimed');
    expect(small.reclaim(p.folioAt((where + PAGE_SIZE) as Address) as Folio)).toBe('no-swap');
    process.mlock(at, PAGE_SIZE);
    expect(kernel.reclaim(folio())).toBe('locked');
    expect(kernel.stats().swap).toEqual({ live: 0, cached: 0 });
    kernel.verify();
  });
});

describe('a page that a fork shares', () => {
  it('goes from both; the reader gets it from swap not exclusive, the other entry then hits the swap cache', () => {
    const child = process.fork();
    expect(kernel.reclaim(folio())).toBe('reclaimed');
    expect([process.pageAt(at).kind, child.pageAt(at).kind]).toEqual(['swap', 'swap']);
    child.read(at);
    expect(child.pageAt(at)).toMatchObject({ mapcount: 1, exclusive: false, writable: false });
    expect(process.pageAt(at).kind).toBe('swap');
    kernel.verify();
    process.read(at);
    expect(process.folioAt(at)).toBe(child.folioAt(at));
    expect(process.pageAt(at).mapcount).toBe(2);
    kernel.verify();
  });

  it('is copied for a writer, and reused by the last one', () => {
    const child = process.fork();
    kernel.reclaim(folio());
    child.write(at);
    expect(child.pageAt(at)).toMatchObject({ exclusive: true, writable: true });
    process.write(at);
    expect(process.pageAt(at)).toMatchObject({ exclusive: true, writable: true });
    expect(process.folioAt(at)).not.toBe(child.folioAt(at));
    kernel.verify();
    expect(kernel.stats().swap).toEqual({ live: 0, cached: 0 });
  });

  it('keeps exclusivity in the entry until a fork shares the entry', () => {
    kernel.reclaim(folio());
    const child = process.fork();
    process.read(at);
    expect(process.pageAt(at)).toMatchObject({ exclusive: false, writable: false });
    child.exit();
    process.write(at);
    expect(process.pageAt(at)).toMatchObject({ exclusive: true, writable: true });
    kernel.verify();
  });

  it('is left alone by MADV_PAGEOUT, which evicts what is not shared', () => {
    const other = (at + PAGE_SIZE) as Address;
    const child = process.fork();
    process.write(other);
    process.madvise(at, 2 * PAGE_SIZE, MADV_PAGEOUT);
    expect(process.pageAt(at).kind).toBe('anonymous');
    expect(process.pageAt(other).kind).toBe('swap');
    expect(child.pageAt(at).kind).toBe('anonymous');
    kernel.verify();
  });
});

describe('a large folio', () => {
  const MIB2 = 512 * PAGE_SIZE;
  const base = 0x100000000000 as Address;
  beforeEach(() => {
    process.mmap(MIB2, { at: base, flags: MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS });
    process.madvise(base, MIB2, MADV_HUGEPAGE);
    process.write(base);
  });

  it('goes to neighbouring slots, its PMD entry split; its pages come back one by one', () => {
    expect(kernel.reclaim(process.folioAt(base) as Folio)).toBe('reclaimed');
    expect(kernel.stats().swap.live).toBe(512);
    process.write((base + 7 * PAGE_SIZE) as Address);
    expect(process.pageAt((base + 7 * PAGE_SIZE) as Address)).toMatchObject({ order: 0, exclusive: true });
    expect(process.pageAt(base).kind).toBe('swap');
    kernel.verify();
  });

  it('is split when swap has too little room for all of it, and goes as far as there is room: its first page, then from the end', () => {
    const limited = new Kernel({ strategy: scanAll(), swap: 4 * PAGE_SIZE });
    const p = limited.spawn();
    const page = (n: number): Address => (base + n * PAGE_SIZE) as Address;
    p.mapAt(base, MIB2);
    p.madvise(base, MIB2, MADV_HUGEPAGE);
    for (let n = 0; n < 6; n++) p.write(page(n));
    expect(limited.reclaim(p.folioAt(base) as Folio)).toBe('reclaimed');
    const kinds = [0, 1, 2, 3, 4, 5].map((n) => p.pageAt(page(n)).kind);
    expect(kinds).toEqual(['swap', 'anonymous', 'anonymous', 'swap', 'swap', 'swap']);
    expect(p.pageAt(page(1)).order).toBe(0);
    limited.verify();
  });

  it('that is mapped in part is split, and all of its pages go', () => {
    for (let n = 0; n < 6; n++) process.write((base + n * PAGE_SIZE) as Address);
    process.munmap((base + 3 * PAGE_SIZE) as Address, MIB2);
    const { live } = kernel.stats().pages;
    expect(kernel.reclaim(process.folioAt(base) as Folio)).toBe('reclaimed');
    expect(kernel.stats()).toMatchObject({ swap: { live: 3 }, pages: { live: live - 512 } });
    kernel.verify();
  });

  it('goes as a whole when all that is left of it is lazily free', () => {
    process.write((base + PAGE_SIZE) as Address);
    process.madvise(base, MIB2, MADV_FREE);
    process.munmap((base + MIB2 / 2) as Address, MIB2 / 2);
    const { live } = kernel.stats().pages;
    expect(kernel.reclaim(process.folioAt(base) as Folio)).toBe('reclaimed');
    expect(kernel.stats().pages.live).toBe(live - 512);
    kernel.verify();
  });

  it('is split by a MADV_PAGEOUT of a part', () => {
    for (let n = 0; n < 5; n++) process.write((base + n * PAGE_SIZE) as Address);
    process.madvise(base, 4 * PAGE_SIZE, MADV_PAGEOUT);
    expect(kernel.stats().swap.live).toBe(4);
    expect(process.pageAt((base + 4 * PAGE_SIZE) as Address)).toMatchObject({ kind: 'anonymous', order: 0 });
    kernel.verify();
  });
});

describe('a large folio that a locked mapping keeps in the swap cache', () => {
  const base = 0x100000000000 as Address;
  const page = (n: number): Address => (base + n * PAGE_SIZE) as Address;
  let child: Process;

  beforeEach(() => {
    kernel = new Kernel({ strategy: scanAll(), thp: { orders: { 4: 'always' } } });
    process = kernel.spawn();
    process.mapAt(base, 16 * PAGE_SIZE);
    process.write(base);
    child = process.fork();
    child.munmap(base, PAGE_SIZE);
    child.mprotect(page(1), 15 * PAGE_SIZE, PROT_READ);
    child.mlock(page(1), 15 * PAGE_SIZE); // not all of it: the folio itself is not mlocked
    expect(kernel.reclaim(process.folioAt(base) as Folio)).toBe('locked');
    expect([process.pageAt(base).kind, child.pageAt(page(1)).kind]).toEqual(['swap', 'anonymous']);
    child.munlock(page(1), 15 * PAGE_SIZE);
    child.mprotect(page(1), 15 * PAGE_SIZE, PROT_READ | PROT_WRITE);
  });

  it('goes with the copy of its last page', () => {
    process.exit();
    child.munmap(page(2), 14 * PAGE_SIZE);
    expect(kernel.stats()).toMatchObject({ swap: { live: 16, cached: 1 }, pages: { live: 16 } });
    child.write(page(1));
    expect(kernel.stats()).toMatchObject({ swap: { live: 0, cached: 0 }, pages: { live: 1 } });
    kernel.verify();
  });

  it('is not remembered to be split', () => {
    child.munmap(page(2), 14 * PAGE_SIZE);
    process.exit();
    kernel.swapOff();
    expect(kernel.stats().swap).toEqual({ live: 0, cached: 0 });
    expect(kernel.splitDeferred()).toBe(0);
    expect(child.pageAt(page(1)).order).toBe(4);
    kernel.verify();
  });
});

describe('a large folio of a locked VMA', () => {
  const MIB2 = 512 * PAGE_SIZE;
  const page = (n: number): Address => (0x100000000000 + n * PAGE_SIZE) as Address;

  it.each<[string, (child: Process) => void]>([
    ['a split of its PMD entry', (child) => child.mprotect(page(0), PAGE_SIZE, PROT_READ | PROT_EXEC)],
    ['a migration', (child) => kernel.migrate(child.folioAt(page(0)) as Folio)],
  ])('stays mlocked after %s', (_what, change) => {
    process.mapAt(page(0), MIB2);
    process.madvise(page(0), MIB2, MADV_HUGEPAGE);
    process.write(page(0));
    const child = process.fork();
    child.mprotect(page(0), MIB2, PROT_READ);
    child.mlock(page(0), MIB2);
    change(child);
    expect(kernel.reclaim(process.folioAt(page(0)) as Folio)).toBe('locked');
    expect(process.pageAt(page(0))).toMatchObject({ kind: 'anonymous', byPmd: true });
    kernel.verify();
  });

  it('is mlocked by the reclaim that finds all of it there, and nothing is unmapped again', () => {
    kernel = new Kernel({ strategy: scanAll(), thp: { orders: { 4: 'always' } } });
    process = kernel.spawn();
    process.mapAt(page(0), 16 * PAGE_SIZE);
    process.write(page(0));
    const child = process.fork();
    child.mprotect(page(0), 16 * PAGE_SIZE, PROT_READ);
    for (const half of [0, 8]) child.mlock(page(half), 8 * PAGE_SIZE); // neither has all of the folio
    const large = process.folioAt(page(0)) as Folio;
    expect(kernel.reclaim(large)).toBe('locked');
    expect(process.pageAt(page(0)).kind).toBe('swap');
    process.read(page(0));
    expect(kernel.reclaim(large)).toBe('locked');
    expect(process.pageAt(page(0)).kind).toBe('anonymous');
    kernel.verify();
  });
});

describe('swapoff', () => {
  it('brings everything back, shared and exclusive', () => {
    const child = process.fork();
    process.write((at + PAGE_SIZE) as Address);
    const second = process.folioAt((at + PAGE_SIZE) as Address) as Folio;
    kernel.reclaim(folio());
    kernel.reclaim(second);
    kernel.swapOff();
    expect(kernel.stats().swap).toEqual({ live: 0, cached: 0 });
    expect(process.pageAt(at)).toMatchObject({ kind: 'anonymous', mapcount: 2, exclusive: false });
    expect(child.folioAt(at)).toBe(process.folioAt(at));
    expect(process.pageAt((at + PAGE_SIZE) as Address)).toMatchObject({ exclusive: true, writable: false });
    kernel.verify();
  });

  it('without memory says so, and goes on later', () => {
    kernel.reclaim(folio());
    kernel.failNextAllocation(1);
    expect(() => kernel.swapOff()).toThrow(/ENOMEM/);
    kernel.verify();
    kernel.swapOff();
    expect(process.pageAt(at).kind).toBe('anonymous');
    kernel.verify();
  });
});

it('a strategy that can not do it has it refused', () => {
  const strategy = { ...scanAll(), unsupported: { swap: 'no anchor for pages read back' } };
  const limited = new Kernel({ strategy });
  const p = limited.spawn();
  const where = p.mmap(PAGE_SIZE);
  p.write(where);
  expect(() => limited.reclaim(p.folioAt(where) as Folio)).toThrow(Unsupported);
});
