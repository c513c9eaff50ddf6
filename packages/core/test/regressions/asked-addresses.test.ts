import { beforeEach, describe, expect, it } from 'vitest';
import * as core from '../../src/index.js';
import { type Address, Kernel, PAGE_SIZE, type Process } from '../../src/index.js';
import { errnoOf } from '../support/errno-of.js';
import { scanAll } from '../support/scan-all.js';

const BASE = 0x30000000 as Address;
const at = (page: number): Address => (BASE + page * PAGE_SIZE) as Address;
const bytes = (pages: number): number => pages * PAGE_SIZE;
const MOVE = core.MREMAP_MAYMOVE | core.MREMAP_FIXED;

let kernel: Kernel;
let process: Process;

const layout = (): string[] =>
  process.vmas().map(({ start, end }) => `${(start - BASE) / PAGE_SIZE}+${(end - start) / PAGE_SIZE}`);

beforeEach(() => {
  kernel = new Kernel({ strategy: scanAll() });
  process = kernel.spawn();
});

// The hint was rounded up, and one within the first page became mmap_min_addr; the kernel rounds down (round_hint_to_min).
describe('the hint of mmap', () => {
  it('means the page it lies in', () => {
    expect(process.mmap(PAGE_SIZE, { at: 0x10000801 as Address })).toBe(0x10000000);
  });
  it('means nothing within the first page', () => {
    expect(process.mmap(PAGE_SIZE, { at: 1 as Address })).toBeGreaterThan(2 ** 46);
  });
  it('means the lowest address there may be, where it is lower', () => {
    expect(process.mmap(PAGE_SIZE, { at: (PAGE_SIZE + 5) as Address })).toBe(core.MMAP_MIN_ADDR);
  });
});

// A fixed destination was not looked at: memory appeared at address 0.
describe('mremap below mmap_min_addr', () => {
  beforeEach(() => process.mapAt(at(0), bytes(4)));
  it('is refused, and what a smaller length leaves out is gone by then', () => {
    expect(errnoOf(() => process.mremap(at(0), bytes(4), bytes(1), { flags: MOVE, to: 0 as Address }))).toBe('EPERM');
    expect(layout()).toEqual(['0+1']);
    kernel.verify();
  });
  it('is refused for the hint of MREMAP_DONTUNMAP, too', () => {
    const flags = core.MREMAP_MAYMOVE | core.MREMAP_DONTUNMAP;
    expect(errnoOf(() => process.mremap(at(0), bytes(1), bytes(1), { flags, to: PAGE_SIZE as Address }))).toBe('EPERM');
    expect(layout()).toEqual(['0+4']);
  });
});

// brk moved down over a heap that was unmapped already; the kernel finds no VMA there and leaves it.
it('brk stays where it is when nothing of the heap is mapped any more', () => {
  const heap = process.brk(0 as Address);
  const end = process.brk((heap + bytes(4)) as Address);
  process.munmap(heap, bytes(4));
  expect(process.brk(heap)).toBe(end);
});

// The stack could not grow as far as asked, and so not at all: it kept the pages of the arguments only (setup_arg_pages).
it.each([false, true])('exec gives the stack what its limit allows (stepping: %s)', (stepping) => {
  const limited = new Kernel({ strategy: scanAll(), stackLimit: 64 * 1024, stepping });
  const program = limited.spawn();
  program.exec();
  const [stack] = program.vmas();
  expect(stack.end - stack.start).toBe(64 * 1024);
});

// The checks came in another order than in the kernel.
describe('mprotect', () => {
  beforeEach(() => process.mapAt(at(0), bytes(4)));
  it('of nothing asks for nothing', () => {
    expect(errnoOf(() => process.mprotect(at(0), 0, 0x40))).toBe('ok');
  });
  it('says that the range wraps before it looks at the protection', () => {
    expect(errnoOf(() => process.mprotect(at(0), -PAGE_SIZE, 0x40))).toBe('ENOMEM');
  });
  it('takes PROT_SEM', () => {
    expect(errnoOf(() => process.mprotect(at(0), bytes(1), core.PROT_READ | core.PROT_WRITE | core.PROT_SEM))).toBe('ok');
    expect(layout()).toEqual(['0+4']);
  });
  it('down to the start of a stack says that there is a hole before it says that there is no stack', () => {
    const prot = core.PROT_READ | core.PROT_GROWSDOWN;
    expect(errnoOf(() => process.mprotect(at(-8), bytes(1), prot))).toBe('ENOMEM');
    expect(errnoOf(() => process.mprotect(at(0), bytes(1), prot))).toBe('EINVAL');
  });
});

describe('mmap without a sharing type', () => {
  it('says that the place is taken first', () => {
    process.mapAt(at(0), bytes(4));
    const flags = core.MAP_ANONYMOUS | core.MAP_FIXED_NOREPLACE;
    expect(errnoOf(() => process.mmap(bytes(1), { at: at(0), flags }))).toBe('EEXIST');
    expect(errnoOf(() => process.mmap(bytes(1), { at: at(8), flags }))).toBe('EINVAL');
  });
});

it('MADV_DONTNEED_LOCKED drops locked pages, MADV_DONTNEED does not', () => {
  process.mapAt(at(0), bytes(4));
  process.mlock(at(0), bytes(4));
  expect(errnoOf(() => process.madvise(at(0), bytes(4), core.MADV_DONTNEED))).toBe('EINVAL');
  expect(process.folioAt(at(0))).not.toBeNull();
  expect(errnoOf(() => process.madvise(at(0), bytes(4), core.MADV_DONTNEED_LOCKED))).toBe('ok');
  expect(process.folioAt(at(0))).toBeNull();
  kernel.verify();
});
