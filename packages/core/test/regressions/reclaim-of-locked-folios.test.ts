import { expect, it } from 'vitest';
import {
  type Address,
  type Folio,
  Kernel,
  MADV_FREE,
  MADV_HUGEPAGE,
  type Op,
  PAGE_SIZE,
  PROT_READ,
  type Process,
} from '../../src/index.js';
import { scanAll } from '../support/scan-all.js';

const page = (n: number): Address => (0x100000000000 + n * PAGE_SIZE) as Address;
const VM_LOCKED = 0x2000;
const THP = { orders: { 4: 'madvise', 9: 'madvise' } } as const;
let kernel: Kernel;
let process: Process;
const folio = (): Folio => process.folioAt(page(0)) as Folio;

function touched(pages: number, stepping = false): void {
  kernel = new Kernel({ strategy: scanAll(), thp: THP, stepping });
  process = alone(kernel.op.spawn());
  alone(process.op.mmap(pages * PAGE_SIZE, { at: page(0) }));
  alone(process.op.madvise(page(0), pages * PAGE_SIZE, MADV_HUGEPAGE));
  alone(process.op.write(page(0)));
}

function alone<T>(op: Op<T>): T {
  for (;;) {
    const { done, value } = op.next();
    if (done) return value as T;
  }
}

// 1. mlock had marked the VMA, not yet its folio.
// 2. Reclaim split the PMD entry before it saw that the VMA is locked.
it('reclaim leaves the PMD entry of a locked VMA whole', () => {
  touched(512, true);
  const mlock = process.op.mlock(page(0), 512 * PAGE_SIZE);
  const locked = (): boolean => process.vmas().some(({ flags }) => (flags & VM_LOCKED) !== 0);
  while (!locked()) mlock.next();
  expect(alone(kernel.op.reclaim(folio()))).toBe('locked');
  expect(process.pageAt(page(0)).byPmd).toBe(true);
  alone(mlock);
});

// Pages behind the end of the locked VMA were counted as if they were in it, so the folio counted as all there, and was mlocked. And
// whatever a locked mapping kept was taken out of the swap cache again.
it('reclaim leaves a folio in the swap cache that a locked mapping keeps and that is not mlocked', () => {
  touched(16);
  process.mprotect(page(0), 16 * PAGE_SIZE, PROT_READ);
  process.mlock(page(0), 8 * PAGE_SIZE);
  expect(kernel.reclaim(folio())).toBe('locked');
  expect(kernel.stats().swap).toMatchObject({ live: 16, cached: 1 });
  kernel.verify();
});

it('folio_referenced passes over a locked VMA that has a part of the folio, and mlocks one that is all there', () => {
  touched(16);
  const child = process.fork();
  child.mprotect(page(0), 16 * PAGE_SIZE, PROT_READ);
  child.mlock(page(0), 8 * PAGE_SIZE);
  expect(kernel.referenced(folio())).toMatchObject({ locked: false, mappings: 32 });
  child.mlock(page(8), 8 * PAGE_SIZE); // neither call had all of it
  expect(kernel.referenced(folio()).locked).toBe(true);
  expect(kernel.reclaim(folio())).toBe('locked');
  expect(process.pageAt(page(0)).kind).toBe('anonymous');
  kernel.verify();
});

// A page written since MADV_FREE keeps all that one table maps of its folio: entries were cleared one by one until the first that is dirty.
it('reclaim drops all of a lazily freeable folio that a table maps, or nothing', () => {
  touched(16);
  for (let n = 0; n < 16; n++) process.write(page(n));
  process.madvise(page(0), 16 * PAGE_SIZE, MADV_FREE);
  process.write(page(5));
  expect(kernel.reclaim(folio())).toBe('dirty');
  for (let n = 0; n < 16; n++) expect(process.pageAt(page(n)).kind).toBe('anonymous');
  kernel.verify();
});
