import { beforeEach, describe, expect, it } from 'vitest';
import {
  type Address,
  type Folio,
  Kernel,
  MADV_HUGEPAGE,
  MADV_PAGEOUT,
  MAP_ANONYMOUS,
  MAP_FIXED,
  MAP_PRIVATE,
  MREMAP_MAYMOVE,
  PAGE_SIZE,
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

  it('is split by a MADV_PAGEOUT of a part', () => {
    for (let n = 0; n < 5; n++) process.write((base + n * PAGE_SIZE) as Address);
    process.madvise(base, 4 * PAGE_SIZE, MADV_PAGEOUT);
    expect(kernel.stats().swap.live).toBe(4);
    expect(process.pageAt((base + 4 * PAGE_SIZE) as Address)).toMatchObject({ kind: 'anonymous', order: 0 });
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
