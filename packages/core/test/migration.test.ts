import { beforeEach, describe, expect, it } from 'vitest';
import {
  type Address,
  type Folio,
  Kernel,
  MADV_HUGEPAGE,
  MAP_ANONYMOUS,
  MAP_FIXED,
  MAP_PRIVATE,
  MREMAP_MAYMOVE,
  PAGE_SIZE,
  PROT_EXEC,
  PROT_READ,
  PROT_WRITE,
  type Process,
} from '../src/index.js';
import { scanAll } from './support/scan-all.js';

let kernel: Kernel;
let process: Process;
let at: Address;
const folio = (): Folio => process.folioAt(at) as Folio;

beforeEach(() => {
  kernel = new Kernel({ strategy: scanAll() });
  process = kernel.spawn();
  at = process.mmap(4 * PAGE_SIZE);
  process.write(at);
});

it('a folio moves with contents, exclusivity and protection, in every address space', () => {
  const { version } = process.pageAt(at);
  const from = folio();
  const to = kernel.migrate(from);
  expect(to).not.toBe(from);
  expect(process.pageAt(at)).toMatchObject({ pfn: to, version, exclusive: true, writable: true });
  const child = process.fork();
  const third = kernel.migrate(folio());
  expect([process.folioAt(at), child.folioAt(at)]).toEqual([third, third]);
  expect(process.pageAt(at)).toMatchObject({ mapcount: 2, exclusive: false, writable: false });
  expect(kernel.stats().pages.live).toBe(1);
  kernel.verify();
});

describe('between the two halves of a migration', () => {
  const begin = (): void => {
    expect(kernel.startMigration(folio())).toBe(true);
    expect(process.pageAt(at).kind).toBe('migration');
    kernel.verify();
  };

  it('a fork copies the entry, and both are found again, no longer exclusive', () => {
    begin();
    const child = process.fork();
    kernel.verify();
    expect(kernel.finishMigrations()).toBe(1);
    expect(process.pageAt(at)).toMatchObject({ mapcount: 2, exclusive: false, writable: false });
    expect(child.folioAt(at)).toBe(process.folioAt(at));
    kernel.verify();
  });

  it('a move, a split and a protection change carry the entry along', () => {
    begin();
    process.mprotect(at, PAGE_SIZE, PROT_READ);
    const to = process.mremap(at, PAGE_SIZE, 2 * PAGE_SIZE, { flags: MREMAP_MAYMOVE });
    kernel.verify();
    kernel.finishMigrations();
    expect(process.pageAt(to)).toMatchObject({ kind: 'anonymous', exclusive: true, writable: false });
    process.mprotect(to, PAGE_SIZE, PROT_READ | PROT_WRITE);
    expect(process.pageAt(to).writable).toBe(true);
    kernel.verify();
  });

  it.each([4, 512])('a change of the protection of %i pages that may be written before and after makes it read-only', (pages) => {
    at = 0x100000000000 as Address;
    process.mapAt(at, pages * PAGE_SIZE);
    process.madvise(at, pages * PAGE_SIZE, MADV_HUGEPAGE);
    process.write(at);
    begin();
    process.mprotect(at, pages * PAGE_SIZE, PROT_READ | PROT_WRITE | PROT_EXEC);
    kernel.finishMigrations();
    expect(process.pageAt(at)).toMatchObject({ byPmd: pages === 512, exclusive: true, writable: false });
    const before = folio();
    process.write(at);
    expect(folio()).toBe(before);
    kernel.verify();
  });

  it('an unmap takes the entry; nothing is left of the folio in the end', () => {
    begin();
    process.munmap(at, PAGE_SIZE);
    kernel.finishMigrations();
    expect(kernel.stats().pages.live).toBe(0);
    kernel.verify();
  });

  it('the exit of the process leaves the folio to the migration', () => {
    begin();
    process.exit();
    kernel.finishMigrations();
    expect(kernel.stats().pages.live).toBe(0);
    kernel.verify();
  });

  it('a touch brings the page back first', () => {
    begin();
    process.write(at);
    expect(process.pageAt(at)).toMatchObject({ kind: 'anonymous', exclusive: true, writable: true });
    expect(kernel.finishMigrations()).toBe(0);
    kernel.verify();
  });
});

it('without memory the folio stays where it is', () => {
  const from = folio();
  kernel.failNextAllocation(1);
  expect(kernel.migrate(from)).toBeNull();
  expect(process.pageAt(at)).toMatchObject({ pfn: from, exclusive: true, writable: true });
  kernel.verify();
});

it('a folio in the swap cache keeps its slot on the way', () => {
  const child = process.fork();
  kernel.reclaim(folio());
  process.read(at);
  const { version } = process.pageAt(at);
  kernel.migrate(folio());
  child.read(at);
  expect(child.folioAt(at)).toBe(process.folioAt(at));
  expect(process.pageAt(at)).toMatchObject({ version, mapcount: 2 });
  kernel.verify();
});

it('a folio of PMD size moves as a whole, its PMD entries as migration entries', () => {
  const base = 0x100000000000 as Address;
  const MIB2 = 512 * PAGE_SIZE;
  process.mmap(MIB2, { at: base, flags: MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS });
  process.madvise(base, MIB2, MADV_HUGEPAGE);
  process.write(base);
  const from = process.folioAt(base) as Folio;
  kernel.startMigration(from);
  expect(process.pageAt(base).kind).toBe('migration');
  const child = process.fork();
  child.munmap(base, 3 * PAGE_SIZE);
  kernel.verify();
  expect(kernel.finishMigrations()).toBe(1);
  expect(process.pageAt(base)).toMatchObject({ byPmd: true, order: 9, mapcount: 1 });
  expect(child.pageAt((base + 3 * PAGE_SIZE) as Address)).toMatchObject({ byPmd: false, order: 9, mapcount: 2 });
  kernel.verify();
});
