import { beforeEach, describe, expect, it } from 'vitest';
import * as core from '../src/index.js';
import { type Address, Kernel, KernelError, PAGE_SIZE, type Process, SegmentationFault } from '../src/index.js';
import { scanAll } from './support/scan-all.js';

const BASE = 0x100000000000 as Address;
const at = (page: number): Address => (BASE + page * PAGE_SIZE) as Address;
const bytes = (pages: number): number => pages * PAGE_SIZE;
const FIXED = core.MAP_PRIVATE | core.MAP_ANONYMOUS | core.MAP_FIXED;

let kernel: Kernel;
let process: Process;

/** The errno of a call, which must leave everything as it was. */
function refused(call: () => unknown): string {
  const before = kernel.draw();
  try {
    call();
  } catch (error) {
    if (!(error instanceof KernelError)) throw error;
    expect(kernel.draw()).toBe(before);
    kernel.verify();
    return error.errno;
  }
  throw new Error('the call succeeded');
}

function catchOf(call: () => unknown): Error {
  try {
    call();
  } catch (error) {
    return error as Error;
  }
  throw new Error('the call succeeded');
}

beforeEach(() => {
  kernel = new Kernel({ strategy: scanAll(), maxMapCount: 12 });
  process = kernel.spawn();
  process.mapAt(at(10), bytes(10));
  process.write(at(12));
});

describe('mmap refuses', () => {
  const cases: [string, string, () => unknown][] = [
    ['a length of 0', 'EINVAL', () => process.mmap(0)],
    ['a negative length', 'EINVAL', () => process.mmap(-PAGE_SIZE)],
    ['neither MAP_SHARED nor MAP_PRIVATE', 'EINVAL', () => process.mmap(bytes(1), { flags: core.MAP_ANONYMOUS })],
    ['an unaligned fixed address', 'EINVAL', () => process.mmap(bytes(1), { flags: FIXED, at: (at(1) + 1) as Address })],
    ['a fixed address beyond 47 bits', 'ENOMEM', () => process.mmap(bytes(1), { flags: FIXED, at: (2 ** 47) as Address })],
    [
      'a range that ends beyond 47 bits',
      'ENOMEM',
      () => process.mmap(bytes(3), { flags: FIXED, at: (core.TASK_SIZE - PAGE_SIZE) as Address }),
    ],
    ['more than the address space', 'ENOMEM', () => process.mmap(2 ** 48)],
    ['a fixed address below mmap_min_addr', 'EPERM', () => process.mmap(bytes(1), { flags: FIXED, at: PAGE_SIZE as Address })],
    [
      'an occupied place with MAP_FIXED_NOREPLACE',
      'EEXIST',
      () => process.mmap(bytes(4), { flags: core.MAP_PRIVATE | core.MAP_ANONYMOUS | core.MAP_FIXED_NOREPLACE, at: at(8) }),
    ],
    ['an unaligned file offset', 'EINVAL', () => process.mmap(bytes(1), { file: kernel.file(), offset: 5 })],
    [
      'a stack of shared memory',
      'EINVAL',
      () => process.mmap(bytes(1), { flags: core.MAP_SHARED | core.MAP_ANONYMOUS | core.MAP_GROWSDOWN }),
    ],
  ];
  it.each(cases)('%s with %s', (_what, errno, call) => expect(refused(call)).toBe(errno));

  it('a VMA over the limit with ENOMEM', () => {
    for (let i = 0; i < 12; i++) process.mapAt(at(40 + 2 * i), bytes(1));
    expect(refused(() => process.mapAt(at(100), bytes(1)))).toBe('ENOMEM');
  });
});

describe('munmap, mprotect, mremap, madvise and mlock refuse', () => {
  const move = core.MREMAP_MAYMOVE | core.MREMAP_FIXED;
  const cases: [string, string, () => unknown][] = [
    ['munmap of an unaligned address', 'EINVAL', () => process.munmap((at(10) + 1) as Address, bytes(1))],
    ['munmap of nothing', 'EINVAL', () => process.munmap(at(10), 0)],
    ['munmap beyond the address space', 'EINVAL', () => process.munmap(at(10), 2 ** 47)],
    ['mprotect of an unaligned address', 'EINVAL', () => process.mprotect((at(10) + 8) as Address, bytes(1), core.PROT_READ)],
    ['mprotect with unknown bits', 'EINVAL', () => process.mprotect(at(10), bytes(1), 64)],
    ['mprotect of a hole', 'ENOMEM', () => process.mprotect(at(30), bytes(1), core.PROT_READ)],
    ['mremap of an unaligned address', 'EINVAL', () => process.mremap((at(10) + 8) as Address, bytes(1), bytes(2))],
    ['mremap to length 0', 'EINVAL', () => process.mremap(at(10), bytes(1), 0)],
    ['mremap with unknown flags', 'EINVAL', () => process.mremap(at(10), bytes(1), bytes(2), { flags: 64 })],
    ['mremap of a hole', 'EFAULT', () => process.mremap(at(30), bytes(1), bytes(2))],
    ['mremap across the end of a VMA', 'EFAULT', () => process.mremap(at(15), bytes(10), bytes(12))],
    ['mremap onto itself', 'EINVAL', () => process.mremap(at(10), bytes(4), bytes(4), { flags: move, to: at(12) })],
    [
      'a fixed mremap without MAYMOVE',
      'EINVAL',
      () => process.mremap(at(10), bytes(4), bytes(4), { flags: core.MREMAP_FIXED, to: at(40) }),
    ],
    [
      'mremap to an unaligned place',
      'EINVAL',
      () => process.mremap(at(10), bytes(4), bytes(4), { flags: move, to: (at(40) + 1) as Address }),
    ],
    ['growth without room and without MAYMOVE', 'ENOMEM', () => process.mremap(at(10), bytes(4), bytes(20), { flags: 0 })],
    [
      'a resizing DONTUNMAP',
      'EINVAL',
      () => process.mremap(at(10), bytes(4), bytes(5), { flags: core.MREMAP_MAYMOVE | core.MREMAP_DONTUNMAP }),
    ],
    ['duplicating private memory', 'EINVAL', () => process.mremap(at(10), 0, bytes(4), { flags: core.MREMAP_MAYMOVE })],
    ['unknown advice', 'EINVAL', () => process.madvise(at(10), bytes(1), 999)],
    ['advice for an unaligned address', 'EINVAL', () => process.madvise((at(10) + 1) as Address, bytes(1), core.MADV_DONTNEED)],
    ['advice for a hole', 'ENOMEM', () => process.madvise(at(30), bytes(1), core.MADV_DONTFORK)],
    ['mlock of a hole', 'ENOMEM', () => process.mlock(at(30), bytes(1))],
  ];
  it.each(cases)('%s with %s', (_what, errno, call) => expect(refused(call)).toBe(errno));

  it('MADV_WIPEONFORK of shared memory with EINVAL', () => {
    process.mapAt(at(40), bytes(2), { flags: core.MAP_SHARED | core.MAP_ANONYMOUS });
    expect(refused(() => process.madvise(at(40), bytes(2), core.MADV_WIPEONFORK))).toBe('EINVAL');
    expect(refused(() => process.madvise(at(40), bytes(2), core.MADV_FREE))).toBe('EINVAL');
  });

  it('mlock without memory for a page with EAGAIN, for a VMA with ENOMEM', () => {
    process.write(at(10));
    kernel.failNextAllocation(1, 100);
    expect(refused(() => process.mlock(at(10), bytes(4)))).toBe('ENOMEM'); // for a VMA
    expect(refused(() => process.mlock(at(10), bytes(10)))).toBe('EAGAIN');
    kernel.failNextAllocation(0);
    expect(refused(() => process.madvise(at(10), bytes(10), core.MADV_DONTNEED))).toBe('EINVAL'); // locked
    kernel.verify();
  });

  it('mlock of what may not be accessed with ENOMEM', () => {
    process.mprotect(at(10), bytes(4), core.PROT_NONE);
    expect(refused(() => process.mlock(at(10), bytes(4)))).toBe('ENOMEM');
  });

  it('MADV_DONTNEED of locked memory with EINVAL', () => {
    process.mlock(at(10), bytes(10));
    expect(refused(() => process.madvise(at(10), bytes(1), core.MADV_DONTNEED))).toBe('EINVAL');
  });

  it('a call of a process that has exited with ESRCH', () => {
    const child = process.fork();
    child.exit();
    expect(refused(() => child.mmap(bytes(1)))).toBe('ESRCH');
  });
});

describe('what a refused call may leave behind', () => {
  it('mprotect across a hole changes what comes before the hole', () => {
    expect(() => process.mprotect(at(18), bytes(4), core.PROT_READ)).toThrow(KernelError);
    expect(process.vmas().map(({ start, flags }) => [(start - BASE) / PAGE_SIZE, flags & 7])).toEqual([
      [10, 3],
      [18, 1],
    ]);
    kernel.verify();
  });

  it('madvise across a hole is done on both sides and reports ENOMEM', () => {
    process.mapAt(at(22), bytes(2));
    expect(() => process.madvise(at(18), bytes(6), core.MADV_DONTFORK)).toThrow(KernelError);
    expect(process.vmas().filter(({ flags }) => (flags & core.VM_DONTCOPY) !== 0)).toHaveLength(2);
  });

  it('brk stays where it was when it cannot move', () => {
    const start = process.brk();
    expect(process.brk((start - PAGE_SIZE) as Address)).toBe(start);
    expect(process.brk((core.TASK_SIZE + PAGE_SIZE) as Address)).toBe(start);
    expect(process.brk((start + bytes(2)) as Address)).toBe(start + bytes(2));
    expect(process.brk(start)).toBe(start);
  });
});

describe('a touch', () => {
  it('outside every VMA gets SIGSEGV, with address and access in the message', () => {
    expect(() => process.write(at(30))).toThrow(SegmentationFault);
    expect(() => process.read(at(30))).toThrow(/read at 0x10000001e000: SIGSEGV: no VMA maps it/);
  });

  it('that the protection forbids gets SIGSEGV', () => {
    process.mprotect(at(10), bytes(1), core.PROT_READ);
    process.mprotect(at(11), bytes(1), core.PROT_NONE);
    expect(() => process.write(at(10))).toThrow(/does not allow it/);
    expect(() => process.read(at(11))).toThrow(/does not allow it/);
    process.read(at(10));
  });

  it('behind the end of a file gets SIGBUS', () => {
    process.mapAt(at(40), bytes(4), { file: kernel.file('short', 2), flags: core.MAP_PRIVATE });
    process.write(at(41));
    expect(() => process.write(at(42))).toThrow(/SIGBUS/);
  });

  it('of a guard page gets SIGSEGV until the guard is removed', () => {
    process.madvise(at(12), bytes(1), core.MADV_GUARD_INSTALL);
    expect(() => process.read(at(12))).toThrow(/guard page/);
    process.madvise(at(12), bytes(1), core.MADV_GUARD_REMOVE);
    process.read(at(12));
    expect(process.pageAt(at(12)).kind).toBe('zero');
  });
});

describe('a program', () => {
  it('is told errno and signal, and whoever calls afterwards the reason and where', () => {
    const run = new core.ProgramRun(kernel);
    expect(run.apply({ op: 'write', process: 0, at: 10 })).toBe('SIGSEGV');
    expect(run.apply({ op: 'mprotect', process: 0, at: 10, pages: 1, prot: 1 })).toBe('ENOMEM');
    const error = catchOf(() => run.processes[0].write(at(10)));
    expect(error.message).toContain(`write at 0x${at(10).toString(16)}: SIGSEGV: no VMA maps it`);
    expect(error.stack).toContain('bad-input.test');
    expect(catchOf(() => run.processes[0].mprotect(at(10), bytes(1), 1)).message).toContain(
      'nothing is mapped at 0x10000000a000',
    );
  });
});

describe('a new kernel refuses', () => {
  it('a strategy of another contract, by name', () => {
    const other = { ...scanAll(), name: 'from-the-future', contract: 2 } as unknown as ReturnType<typeof scanAll>;
    expect(() => new Kernel({ strategy: other })).toThrow(/from-the-future.*contract 2/);
  });

  it.each([
    ['nothing', () => null, /^R3 broken in create .*it made null, which has no prepare, fork, /],
    ['a promise', () => Promise.resolve({}), /it made \[object Promise\], which has no prepare, fork, /],
    [
      'some of the hooks',
      (services: core.RmapServices) => Object.assign(scanAll().create(services), { walk: undefined, hold: 5 }),
      /which has no hold, walk$/,
    ],
  ])('a strategy that makes %s, by what is missing', (_, create, message) => {
    const odd = { ...scanAll(), create } as unknown as core.RmapStrategy;
    expect(() => new Kernel({ strategy: odd })).toThrow(message);
  });
});
