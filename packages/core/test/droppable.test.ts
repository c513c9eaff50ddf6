import { beforeEach, describe, expect, it } from 'vitest';
import {
  type Address,
  type Folio,
  Kernel,
  MADV_DODUMP,
  MADV_HUGEPAGE,
  MADV_KEEPONFORK,
  MADV_MERGEABLE,
  MADV_PAGEOUT,
  MAP_ANONYMOUS,
  MAP_DROPPABLE,
  MAP_FIXED,
  MAP_GROWSDOWN,
  MAP_LOCKED,
  MAP_PRIVATE,
  PAGE_SIZE,
  type Process,
  VM_LOCKED,
  VM_MERGEABLE,
} from '../src/index.js';
import { errnoOf } from './support/errno-of.js';
import { scanAll } from './support/scan-all.js';

const PMD_SIZE = 512 * PAGE_SIZE;
const BASE = 0x40000000 as Address;

// All expectations were seen on Linux 6.18.44.
describe.each([false, true])('memory that may be dropped, stepping: %s', (stepping) => {
  let kernel: Kernel;
  let process: Process;
  const map = (pages: number, more = 0, at = BASE): Address =>
    process.mmap(pages * PAGE_SIZE, { at, flags: MAP_DROPPABLE | MAP_ANONYMOUS | MAP_FIXED | more });

  beforeEach(() => {
    kernel = new Kernel({ strategy: scanAll(), stepping, swap: 0 });
    process = kernel.spawn();
  });

  it('goes although it was written and there is no swap, and reads as zeros then', () => {
    map(2);
    process.write(BASE);
    const { version } = process.pageAt(BASE);
    process.madvise(BASE, PAGE_SIZE, MADV_PAGEOUT);
    expect(process.pageAt(BASE).kind).toBe('none');
    expect(kernel.stats().pages.live).toBe(0);
    process.read(BASE);
    expect(process.pageAt(BASE).kind).toBe('zero');
    process.write(BASE);
    expect(process.pageAt(BASE).version).not.toBe(version);
    kernel.verify();
  });

  it('goes as a whole where it is a folio of PMD size', () => {
    map(512);
    process.madvise(BASE, PMD_SIZE, MADV_HUGEPAGE);
    process.write(BASE);
    expect(kernel.reclaim(process.folioAt(BASE) as Folio)).toBe('reclaimed');
    expect(kernel.stats().pages.live).toBe(0);
    kernel.verify();
  });

  it('is empty in children, and is neither locked nor merged, by KSM or with a neighbour', () => {
    process.mmap(PAGE_SIZE, { at: (BASE - PAGE_SIZE) as Address, flags: MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED });
    map(1);
    process.write(BASE);
    process.mlock(BASE, PAGE_SIZE);
    process.madvise(BASE, PAGE_SIZE, MADV_MERGEABLE);
    expect(process.vmas()).toHaveLength(2);
    expect(process.vmas()[1].flags & (VM_LOCKED | VM_MERGEABLE)).toBe(0);
    const child = process.fork();
    expect(child.pageAt(BASE).kind).toBe('none');
    child.write(BASE);
    kernel.verify();
  });

  it('can not be a file, locked or a stack, nor dumped, kept on fork or handled elsewhere', () => {
    expect(errnoOf(() => process.mmap(PAGE_SIZE, { flags: MAP_DROPPABLE, file: kernel.file() }))).toBe('EINVAL');
    expect(errnoOf(() => map(1, MAP_LOCKED))).toBe('EINVAL');
    expect(errnoOf(() => map(1, MAP_GROWSDOWN))).toBe('EINVAL');
    map(1);
    expect(errnoOf(() => process.madvise(BASE, PAGE_SIZE, MADV_DODUMP))).toBe('EINVAL');
    expect(errnoOf(() => process.madvise(BASE, PAGE_SIZE, MADV_KEEPONFORK))).toBe('EINVAL');
    expect(errnoOf(() => process.uffdRegister(BASE, PAGE_SIZE))).toBe('EINVAL');
  });
});
