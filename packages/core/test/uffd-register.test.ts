import { beforeEach, describe, expect, it } from 'vitest';
import {
  type Address,
  Kernel,
  MAP_ANONYMOUS,
  MAP_FIXED,
  MAP_PRIVATE,
  MAP_SHARED,
  MREMAP_DONTUNMAP,
  MREMAP_FIXED,
  MREMAP_MAYMOVE,
  PAGE_SIZE,
  type Process,
  TASK_SIZE,
} from '../src/index.js';
import { VM_UFFD_MISSING } from '../src/vma/vm-flags.js';
import { errnoOf } from './support/errno-of.js';
import { scanAll } from './support/scan-all.js';

const FIXED = MREMAP_MAYMOVE | MREMAP_FIXED;
const BASE = 0x40000000;
const page = (n: number): Address => (BASE + n * PAGE_SIZE) as Address;
const bytes = (pages: number): number => pages * PAGE_SIZE;
/** Each VMA as its first page and the one behind it, with a `u` if it is registered. */
const layout = (process: Process): string =>
  process
    .vmas()
    .map(({ start, end, flags }) => {
      const [first, behind] = [start, end].map((at) => (at - BASE) / PAGE_SIZE);
      return `${first}-${behind}${(flags & VM_UFFD_MISSING) !== 0 ? 'u' : ''}`;
    })
    .join(' ');

// All expectations were seen on Linux 6.18.44.
describe.each([false, true])('stepping: %s', (stepping) => {
  let kernel: Kernel;
  let process: Process;
  const move = (from: number, pages: number, to: number, flags = FIXED): string =>
    errnoOf(() => process.mremap(page(from), bytes(pages), bytes(pages), { flags, to: page(to) }));
  const register = (first: number, pages: number): void => process.uffdRegister(page(first), bytes(pages));

  beforeEach(() => {
    kernel = new Kernel({ strategy: scanAll(), stepping });
    process = kernel.spawn();
    process.mapAt(page(0), bytes(16));
    for (let n = 0; n < 16; n++) process.write(page(n));
  });

  describe.each([true, false])('register: %s', (on) => {
    it.each<[string, number, number]>([
      ['an unaligned address', BASE + 1, PAGE_SIZE],
      ['a length that is not whole pages', BASE, 1],
      ['no length', BASE, 0],
      ['a negative length', BASE + bytes(4), -PAGE_SIZE],
      ['a negative address', -PAGE_SIZE, PAGE_SIZE],
      ['a range that wraps around', BASE, 2 ** 64 - BASE],
      ['a range that ends behind user addresses', BASE, TASK_SIZE],
      ['an address behind user addresses', TASK_SIZE, PAGE_SIZE],
      ['a range without VMAs', BASE + bytes(32), PAGE_SIZE],
    ])('%s is refused', (_what, at, length) => {
      expect(errnoOf(() => process.uffdRegister(at as Address, length, on))).toBe('EINVAL');
      expect(layout(process)).toBe('0-16');
    });

    it('memory of a file anywhere in the range is refused before anything changes', () => {
      process.mapAt(page(16), bytes(1), { flags: MAP_PRIVATE | MAP_FIXED, file: kernel.file() });
      expect(errnoOf(() => process.uffdRegister(page(12), bytes(5), on))).toBe('EINVAL');
      expect(layout(process)).toBe('0-16 16-17');
    });
  });

  it('shared memory, with a name or without, mapped private or shared, can be registered', () => {
    const file = kernel.memfd();
    process.mapAt(page(20), bytes(1), { flags: MAP_PRIVATE | MAP_FIXED, file });
    process.mapAt(page(21), bytes(1), { flags: MAP_SHARED | MAP_FIXED, file });
    process.mapAt(page(22), bytes(1), { flags: MAP_SHARED | MAP_FIXED | MAP_ANONYMOUS });
    register(20, 3);
    expect(layout(process)).toBe('0-16 20-21u 21-22u 22-23u');
  });

  it('a hole in front of what is mapped is passed over', () => {
    register(-2, 6);
    expect(layout(process)).toBe('0-4u 4-16');
    process.uffdRegister(page(-2), bytes(6), false);
    expect(layout(process)).toBe('0-16');
    kernel.verify();
  });

  it('UFFDIO_MOVE looks at its ranges before it looks for VMAs', () => {
    process.mapAt(page(20), bytes(1));
    const refused = (to: number, from: number, length = PAGE_SIZE): string =>
      errnoOf(() => process.uffdMove({ to: to as Address, from: from as Address, length }));
    expect(refused(TASK_SIZE, BASE)).toBe('EINVAL');
    expect(refused(page(20), TASK_SIZE)).toBe('EINVAL');
    expect(refused(page(30), BASE, 2 ** 47)).toBe('EINVAL');
    expect(refused(page(30), BASE)).toBe('ENOENT');
    expect(refused(page(20), page(30))).toBe('ENOENT');
  });

  it('a child is not registered', () => {
    register(4, 4);
    const child = process.fork();
    expect(layout(process)).toBe('0-4 4-8u 8-16');
    expect(layout(child)).toBe('0-4 4-8 8-16');
    kernel.verify();
  });

  it('what moved is not registered, what stayed is', () => {
    register(4, 4);
    expect(move(5, 2, 32)).toBe('ok');
    expect(layout(process)).toBe('0-4 4-5u 7-8u 8-16 32-34');
    kernel.verify();
  });

  it('with MREMAP_DONTUNMAP the source stays registered', () => {
    register(4, 4);
    expect(move(4, 4, 32, FIXED | MREMAP_DONTUNMAP)).toBe('ok');
    expect(layout(process)).toBe('0-4 4-8u 8-16 32-36');
  });

  it('a registered neighbour that takes moved memory in is not registered any more', () => {
    for (const at of [32, 48]) {
      process.mapAt(page(at), bytes(4));
      register(at, 4);
    }
    expect(move(48, 4, 36)).toBe('ok');
    expect(layout(process)).toBe('0-16 32-40');
  });

  it('nor is a source that merged with its own copy', () => {
    process.mapAt(page(32), bytes(4));
    register(32, 4);
    expect(move(32, 4, 36, FIXED | MREMAP_DONTUNMAP)).toBe('ok');
    expect(layout(process)).toBe('0-16 32-40');
  });

  it('a move of several VMAs stops before one that is registered', () => {
    register(4, 4);
    expect(move(0, 16, 32)).toBe('EFAULT');
    expect(layout(process)).toBe('4-8u 8-16 32-36');
    kernel.verify();
  });

  it('a registered VMA does not move as the first of several, nor with a hole behind it', () => {
    register(0, 4);
    expect(move(0, 16, 32)).toBe('EFAULT');
    expect(layout(process)).toBe('0-4u 4-16');
    process.munmap(page(4), bytes(12));
    expect(move(0, 5, 32)).toBe('EFAULT');
    expect(layout(process)).toBe('0-4u');
    expect(move(0, 4, 32)).toBe('ok');
    expect(layout(process)).toBe('32-36');
  });
});
