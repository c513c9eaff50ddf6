import { describe, expect, test } from 'vitest';
import {
  type Address,
  Kernel,
  MADV_COLLAPSE,
  MADV_HUGEPAGE,
  MADV_MERGEABLE,
  MREMAP_FIXED,
  MREMAP_MAYMOVE,
  PAGE_SIZE,
  type Process,
} from '../src/index.js';
import { pageList } from './support/page-list.js';

const AT = 0x100000000000 as Address;
const MIB2 = 512 * PAGE_SIZE;
const page = (n: number): Address => (AT + n * PAGE_SIZE) as Address;

function machine(pages: number): { kernel: Kernel; process: Process; done: () => void } {
  const kernel = new Kernel({ strategy: pageList() });
  const process = kernel.spawn();
  process.mapAt(AT, pages * PAGE_SIZE);
  const done = (): void => {
    kernel.verify();
    for (const other of [...kernel.processes]) other.exit();
    kernel.verify();
    expect(kernel.stats().pages.live).toBe(0);
  };
  return { kernel, process, done };
}

describe('a strategy that lists entries is told of each', () => {
  test('that KSM merges, shares on fork, and gives back', () => {
    const { kernel, process, done } = machine(4);
    for (const n of [0, 1, 2]) process.fill(page(n), 7);
    process.madvise(AT, 4 * PAGE_SIZE, MADV_MERGEABLE);
    for (let pass = 0; pass < 3; pass++) kernel.ksmScan();
    expect(process.pageAt(page(0)).pfn).toBe(process.pageAt(page(2)).pfn);
    kernel.verify();
    const child = process.fork();
    child.write(page(1));
    kernel.verify();
    kernel.ksmUnmerge();
    done();
  });

  test('that UFFDIO_MOVE moves', () => {
    const { kernel, process, done } = machine(8);
    process.write(page(0));
    process.write(page(7));
    process.uffdMove({ to: page(4), from: page(0), length: PAGE_SIZE });
    kernel.verify();
    process.write(page(4));
    done();
  });

  test('that a collapse replaces', () => {
    const { kernel, process, done } = machine(1024);
    for (let n = 0; n < 1024; n += 3) process.write(page(n));
    process.madvise(AT, MIB2, MADV_COLLAPSE);
    expect(process.pageAt(AT).order).toBe(9);
    kernel.verify();
    process.munmap(page(100), 50 * PAGE_SIZE);
    done();
  });

  test('of PMD size that mremap moves, fork copies and a write splits', () => {
    const { kernel, process, done } = machine(512);
    process.madvise(AT, MIB2, MADV_HUGEPAGE);
    process.write(AT);
    const to = (AT + 4 * MIB2) as Address;
    process.mremap(AT, MIB2, MIB2, { flags: MREMAP_MAYMOVE | MREMAP_FIXED, to });
    kernel.verify();
    const child = process.fork();
    kernel.verify();
    child.write((to + 5 * PAGE_SIZE) as Address);
    kernel.verify();
    process.exit();
    done();
  });

  test('that moves as a whole table, and back', () => {
    const { kernel, process, done } = machine(512);
    for (let n = 0; n < 512; n += 5) process.write(page(n));
    const to = (AT + 4 * MIB2) as Address;
    process.mremap(AT, MIB2, MIB2, { flags: MREMAP_MAYMOVE | MREMAP_FIXED, to });
    kernel.verify();
    process.mremap(to, MIB2, MIB2, { flags: MREMAP_MAYMOVE | MREMAP_FIXED, to: AT });
    done();
  });

  test('that swap and migration take away and bring back', () => {
    const { kernel, process, done } = machine(8);
    for (let n = 0; n < 8; n++) process.write(page(n));
    const child = process.fork();
    for (const folio of [...kernel.folios()].slice(0, 4)) kernel.reclaim(folio);
    kernel.verify();
    for (let n = 0; n < 4; n++) child.read(page(n));
    kernel.verify();
    process.write(page(0));
    kernel.swapOff();
    kernel.verify();
    for (const folio of [...kernel.folios()]) kernel.startMigration(folio);
    process.munmap(page(2), PAGE_SIZE);
    kernel.finishMigrations();
    done();
  });
});
