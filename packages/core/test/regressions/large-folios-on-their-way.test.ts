import { expect, it } from 'vitest';
import {
  type Address,
  type Folio,
  Kernel,
  MADV_HUGEPAGE,
  type Op,
  PAGE_SIZE,
  PROT_READ,
  PROT_WRITE,
  type Process,
} from '../../src/index.js';
import { pageList } from '../support/page-list.js';
import { scanAll } from '../support/scan-all.js';

const page = (n: number): Address => (0x100000000000 + n * PAGE_SIZE) as Address;
const MIB2 = 512 * PAGE_SIZE;
const VM_LOCKED = 0x2000;
let kernel: Kernel;
let process: Process;
const folio = (n = 0): Folio => process.folioAt(page(n)) as Folio;

function touched(pages: number, strategy = pageList()): void {
  kernel = new Kernel({ strategy, thp: { orders: { 4: 'madvise', 9: 'madvise' } } });
  process = kernel.spawn();
  process.mapAt(page(0), pages * PAGE_SIZE);
  process.madvise(page(0), pages * PAGE_SIZE, MADV_HUGEPAGE);
  for (let n = 0; n < Math.min(pages, 16); n++) process.write(page(n));
}

// Its entries went one by one, so that it was mapped in part for a moment.
it.each(['moved', 'not moved'])('a folio that PTEs map is remembered to be split once it was under migration: %s', (how) => {
  touched(16);
  kernel.startMigration(folio());
  if (how === 'not moved') kernel.failNextAllocation(1);
  expect(kernel.finishMigrations()).toBe(how === 'moved' ? 1 : 0);
  kernel.verify();
  expect(process.pageAt(page(0)).order).toBe(4);
  expect(kernel.splitDeferred()).toBe(1);
  expect(process.pageAt(page(0)).order).toBe(0);
  kernel.verify();
});

it('a folio that a PMD entry maps is not', () => {
  touched(512);
  expect(kernel.migrate(folio())).not.toBeNull();
  expect(kernel.splitDeferred()).toBe(0);
  kernel.verify();
});

it('a folio that is mapped in part is split before it migrates', () => {
  touched(16);
  process.munmap(page(12), 4 * PAGE_SIZE);
  const before = process.pageAt(page(0)).pfn;
  expect(kernel.migrate(folio())).not.toBeNull();
  expect(process.pageAt(page(0))).toMatchObject({ order: 0, version: 1 });
  expect(process.pageAt(page(0)).pfn).not.toBe(before);
  kernel.verify();
});

// A folio in the swap cache was never split.
it('a folio in the swap cache is split, and its slots go with its pages', () => {
  touched(16, scanAll());
  const child = process.fork();
  child.munmap(page(0), PAGE_SIZE);
  child.mprotect(page(1), 15 * PAGE_SIZE, PROT_READ);
  child.mlock(page(1), 15 * PAGE_SIZE); // not all of it: the folio itself is not mlocked
  const large = folio();
  expect(kernel.reclaim(large)).toBe('locked');
  expect(process.pageAt(page(1)).kind).toBe('swap');
  expect(kernel.splitFolio(large, { order: 2 })).toBe(false);
  expect(kernel.splitFolio(large)).toBe(true);
  kernel.verify();
  expect(child.pageAt(page(1)).order).toBe(0);
  process.read(page(1));
  expect(process.folioAt(page(1))).toBe(child.folioAt(page(1)));
  process.read(page(0));
  expect(process.pageAt(page(0)).version).toBe(1);
  kernel.verify();
  process.exit();
  child.exit();
  kernel.verify();
  expect(kernel.stats().swap).toEqual({ live: 0, cached: 0 });
});

function alone<T>(op: Op<T>): T {
  for (let turn = op.next(); ; turn = op.next()) if (turn.done) return turn.value;
}

// 1. Reclaim turned the entries of one process into swap entries; that of the other was locked by then, and not yet its folio.
// 2. The first process went, the folio stayed in the swap cache.
// 3. A write split the PMD entry, because the swap cache referred to the folio, too.
it('the last user of a folio that a PMD entry maps uses it again, also when it is in the swap cache', () => {
  kernel = new Kernel({ strategy: scanAll(), stepping: true });
  process = alone(kernel.op.spawn());
  alone(process.op.mmap(MIB2, { at: page(0) }));
  alone(process.op.madvise(page(0), MIB2, MADV_HUGEPAGE));
  alone(process.op.write(page(0)));
  const child = alone(process.op.fork());
  alone(child.op.mprotect(page(0), MIB2, PROT_READ));
  const mlock = child.op.mlock(page(0), MIB2);
  while (child.vmas().every(({ flags }) => (flags & VM_LOCKED) === 0)) mlock.next();
  expect(alone(kernel.op.reclaim(folio()))).toBe('locked');
  expect([process.pageAt(page(0)).kind, child.pageAt(page(0)).byPmd]).toEqual(['swap', true]);
  alone(mlock);
  alone(child.op.munlock(page(0), MIB2));
  alone(process.op.exit());
  alone(child.op.mprotect(page(0), MIB2, PROT_READ | PROT_WRITE));
  alone(child.op.write(page(0)));
  expect(child.pageAt(page(0))).toMatchObject({ byPmd: true, exclusive: true, writable: true });
  expect(kernel.stats().swap).toEqual({ live: 0, cached: 0 });
  kernel.verify();
});
