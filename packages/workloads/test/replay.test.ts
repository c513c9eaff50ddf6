import {
  type Address,
  addressOf,
  Kernel,
  MAP_ANONYMOUS,
  MAP_FIXED,
  MAP_PRIVATE,
  MAP_SHARED,
  MREMAP_MAYMOVE,
  TraceError,
  type Vpn,
} from '@rmap-lab/core';
import { anonVma } from '@rmap-lab/strategy-anon-vma';
import { describe, expect, test } from 'vitest';
import {
  type BodyRecord,
  type CallName,
  type LayoutEntry,
  placeRecords,
  type ReplayOptions,
  type ReplayReport,
  replay,
} from '../src/index.js';
import { HEADER } from './records.js';

const PRIVATE = MAP_PRIVATE | MAP_ANONYMOUS;
const page = (number: number): number => addressOf(number as Vpn);
const call = (
  name: CallName,
  args: readonly number[],
  result: number | 'ENOMEM' | 'EINVAL' | 'EACCES' | 'EEXIST' | 'EFAULT' = 0,
): BodyRecord => ({
  type: 'call',
  process: 0,
  call: name,
  args,
  result,
});
const map = (first: number, pages: number, flags = PRIVATE): BodyRecord =>
  call('mmap', [0, pages * 4096, 3, flags, -1, 0], page(first));
const touch = (first: number, count = 1, more: { process?: number; write?: boolean; stride?: number } = {}): BodyRecord => ({
  type: 'touch',
  process: 0,
  first,
  count,
  stride: 1,
  write: true,
  ...more,
});
const spawn: BodyRecord = { type: 'process', process: 0, parent: null, kind: 'spawn' };
const start = (process: number, kind: 'fork' | 'vfork' | 'thread', parent = 0): BodyRecord => ({
  type: 'process',
  process,
  parent,
  kind,
});

const newKernel = (): Kernel => new Kernel({ strategy: anonVma() });

async function replayed(
  records: readonly BodyRecord[],
  options: ReplayOptions = {},
): Promise<{ kernel: Kernel; report: ReplayReport }> {
  const kernel = newKernel();
  const report = await replay(kernel, placeRecords([HEADER, ...records]), options);
  kernel.verify();
  return { kernel, report };
}

/** The address spaces as lines of `first-end rwx` in pages. */
const picture = (kernel: Kernel): string[][] =>
  kernel.processes.map((process) =>
    process
      .vmas()
      .map(
        ({ start, end, flags }) =>
          `${start / 4096}-${end / 4096} ${['r', 'w', 'x'].map((c, i) => ((flags >> i) & 1 ? c : '-')).join('')}`,
      ),
  );

describe('a replay does what was recorded', () => {
  test('memory is mapped where it was, and touched', async () => {
    const { kernel, report } = await replayed([
      spawn,
      map(1000, 10),
      touch(1000, 5, { stride: 2 }),
      touch(1001, 1, { write: false }),
    ]);
    expect(picture(kernel)).toEqual([['1000-1010 rw-']]);
    const kinds = Array.from({ length: 10 }, (_, i) => kernel.processes[0].pageAt(addressOf((1000 + i) as Vpn)).kind);
    expect(kinds.join(' ')).toBe('anonymous zero anonymous none anonymous none anonymous none anonymous none');
    expect(report).toEqual({
      operations: 4,
      byKind: { spawn: 1, mmap: 1, write: 1, read: 1 },
      refused: 0,
      touches: 6,
      unexplained: 0,
      mismatches: 0,
      first: null,
      stopped: false,
    });
  });

  test('every call answers as it did', async () => {
    const { kernel, report } = await replayed([
      spawn,
      map(1000, 10),
      touch(1000, 10),
      call('mprotect', [page(1004), 4096, 1]),
      call('munmap', [page(1008), 4096]),
      call('madvise', [page(1000), 4096, 4]),
      call('mlock', [page(1001), 4096]),
      call('munlock', [page(1001), 4096]),
      call('mremap', [page(1009), 4096, 8192, MREMAP_MAYMOVE, 0], page(2000)),
      call('mremap', [page(2000), 8192, 4096, MREMAP_MAYMOVE, 0], page(2000)),
      call('mmap', [page(1000), 4096, 1, PRIVATE | MAP_FIXED, -1, 0], page(1000)),
    ]);
    expect(picture(kernel)).toEqual([['1000-1001 r--', '1001-1004 rw-', '1004-1005 r--', '1005-1008 rw-', '2000-2001 rw-']]);
    expect(report).toMatchObject({ operations: 11, refused: 0, mismatches: 0 });
  });

  test('forks share, threads are one address space, and a vfork child leaves it by exec', async () => {
    const { kernel } = await replayed([
      spawn,
      map(1000, 4),
      touch(1000),
      start(1, 'fork'),
      touch(1000, 1, { process: 1 }),
      start(2, 'thread'),
      touch(1002, 1, { process: 2 }),
      start(3, 'vfork'),
      { type: 'exec', process: 3, brk: null, layout: [] },
    ]);
    const [parent, forked, thread, child] = kernel.processes;
    expect(forked.folioAt(page(1000) as never)).not.toBe(parent.folioAt(page(1000) as never));
    expect(thread.mm).toBe(parent.mm);
    expect(parent.folioAt(page(1002) as never)).not.toBeNull();
    expect(child.mm).not.toBe(parent.mm);
    expect(child.vmas()).toHaveLength(1);
  });

  test('a process number can be used again after its exit', async () => {
    const { kernel } = await replayed([spawn, start(1, 'fork'), { type: 'exit', process: 1 }, start(1, 'fork')]);
    expect(kernel.processes).toHaveLength(2);
  });

  test('files are mapped by number and have no end', async () => {
    const { kernel } = await replayed([
      spawn,
      { type: 'file', file: 7, name: 'libc.so', size: 4096 },
      call('mmap', [0, 8192, 3, MAP_PRIVATE, 7, 4096], page(1000)),
      call('mmap', [0, 4096, 3, MAP_SHARED, 7, 0], page(1010)),
      call('mmap', [0, 4096, 3, MAP_SHARED | MAP_PRIVATE, 7, 0], page(1020)), // MAP_SHARED_VALIDATE
      touch(1000, 2),
      touch(1010),
    ]);
    const [library, shared] = kernel.processes[0].vmas();
    expect(library).toMatchObject({ pgoff: 1, file: { name: 'libc.so' } });
    expect(shared.file).toBe(library.file);
  });

  test('marks are told in their place', async () => {
    const marks: string[] = [];
    await replayed([spawn, { type: 'mark', name: 'a' }, { type: 'exit', process: 0 }, { type: 'mark', name: 'b' }], {
      onMark: (name) => marks.push(name),
    });
    expect(marks).toEqual(['a', 'b']);
  });
});

describe('exec', () => {
  const entry = (first: number, end: number, kind: LayoutEntry['kind'], more: Partial<LayoutEntry> = {}): LayoutEntry => ({
    start: page(first),
    end: page(end),
    prot: 3,
    shared: false,
    kind,
    file: null,
    offset: 0,
    ...more,
  });
  const exec = (layout: readonly LayoutEntry[], brk: number | null = null): BodyRecord => ({
    type: 'exec',
    process: 0,
    brk,
    layout,
  });
  const file: BodyRecord = { type: 'file', file: 0, name: 'program', size: null };

  test('leaves the recorded address space, with the stack as it was', async () => {
    const { kernel } = await replayed([
      spawn,
      file,
      exec(
        [
          entry(0x400, 0x410, 'file', { file: 0, prot: 5 }),
          entry(0x410, 0x412, 'anonymous'),
          entry(0x500, 0x521, 'heap'),
          entry(0x7ffff000, 0x7ffff021, 'stack'),
          entry(0x7ffff100, 0x7ffff104, 'special', { prot: 1 }),
        ],
        page(0x521) - 100,
      ),
      call('brk', [0], page(0x521) - 100),
      call('brk', [page(0x530)], page(0x530)),
      touch(0x7ffff000, 0x21),
    ]);
    expect(picture(kernel)).toEqual([
      [
        `${0x400}-${0x410} r-x`,
        `${0x410}-${0x412} rw-`,
        `${0x500}-${0x530} rw-`,
        `${0x7ffff000}-${0x7ffff021} rw-`,
        `${0x7ffff100}-${0x7ffff104} r--`,
      ],
    ]);
  });

  test.each([33, 40, 3])('takes a stack of %i pages, also an executable one', async (pages) => {
    const { kernel } = await replayed([spawn, exec([entry(0x7ffff000, 0x7ffff000 + pages, 'stack', { prot: 7 })])]);
    expect(picture(kernel)).toEqual([[`${0x7ffff000}-${0x7ffff000 + pages} rwx`]]);
  });

  test('says when the stack is larger than the model lets it be', async () => {
    const records = [spawn, exec([entry(0x7fff0000, 0x7ffff000, 'stack')])];
    await expect(replayed(records)).rejects.toMatchObject({ record: 3, reason: expect.stringContaining('exec') });
  });

  test('says when the heap can not end where it did', async () => {
    const records = [spawn, exec([entry(0x500, 0x501, 'anonymous'), entry(0x501, 0x502, 'heap')], page(0x500))];
    await expect(replayed(records)).rejects.toMatchObject({ record: 3, reason: expect.stringContaining('heap ends at') });
  });

  test('says when two parts of the layout overlap in the model', async () => {
    const records = [spawn, exec([entry(0x500, 0x502, 'heap'), entry(0x503, 0x504, 'anonymous')], page(0x509))];
    await expect(replayed(records)).rejects.toMatchObject({ record: 3, reason: expect.stringContaining('EEXIST') });
  });
});

describe('refused calls', () => {
  test('are asked of the model, which must refuse as well and stay as it is', async () => {
    const { kernel, report } = await replayed([
      spawn,
      map(1000, 2),
      call('munmap', [page(1000) + 1, 4096], 'EINVAL'),
      call('mprotect', [page(3000), 4096, 1], 'ENOMEM'),
      call('mremap', [page(3000), 4096, 4096, 0, 0], 'EFAULT'),
    ]);
    expect(report).toMatchObject({ refused: 3, mismatches: 0 });
    expect(picture(kernel)).toEqual([['1000-1002 rw-']]);
  });

  test('are not asked where a limit, or the driver of a device, may have refused', async () => {
    const { kernel, report } = await replayed([
      spawn,
      { type: 'exec', process: 0, brk: page(5000), layout: [] },
      { type: 'file', file: 1, name: 'device', size: null },
      map(1000, 2),
      call('mmap', [0, 3 * 4096, 3, 1, 1, 0], 'EINVAL'),
      call('mremap', [page(1000), 4096, 8192, 1, 0], 'ENOMEM'),
      call('brk', [page(5001)], page(5001)),
      call('brk', [page(9000)], page(5001)),
    ]);
    expect(report).toMatchObject({ refused: 2, mismatches: 0 });
    expect(kernel.processes[0].brk(0 as Address)).toBe(page(5001));
  });

  test('are a mismatch when the model grants them, or refuses for another reason', async () => {
    const { report } = await replayed(
      [spawn, map(1000, 2), call('munmap', [page(1000), 4096], 'EINVAL'), call('mprotect', [page(3000), 4096, 1], 'EINVAL')],
      { onMismatch: 'skip' },
    );
    expect(report).toMatchObject({ refused: 2, mismatches: 2 });
  });

  test('are not asked of the model when the reason lies outside of it', async () => {
    const { kernel, report } = await replayed([
      spawn,
      map(1000, 2),
      call('mprotect', [page(1000), 4096, 1], 'EACCES'),
      call('mmap', [0, 2 ** 46, 3, PRIVATE, -1, 0], 'ENOMEM'),
      call('madvise', [page(1000), 4096, 14], 'EINVAL'),
      call('mlock', [page(1000), 4096], 'ENOMEM'),
    ]);
    expect(report).toMatchObject({ refused: 4, mismatches: 0 });
    expect(picture(kernel)).toEqual([['1000-1002 rw-']]);
  });
});

describe('a replay stops with the position', () => {
  const cases: readonly [why: string, records: BodyRecord[], record: number, reason: RegExp][] = [
    ['a touch of nothing', [spawn, touch(1000)], 3, /SIGSEGV/],
    [
      'a write to memory that may only be read',
      [spawn, map(1000, 1), call('mprotect', [page(1000), 4096, 1]), touch(1000)],
      5,
      /SIGSEGV/,
    ],
    ['a mapping where the model has one', [spawn, map(1000, 2), map(1001, 1)], 4, /EEXIST/],
    ['a call that the model refuses', [spawn, call('mprotect', [page(1000), 4096, 1])], 3, /the model refuses: mprotect: ENOMEM/],
    [
      'another answer',
      [spawn, { type: 'exec', process: 0, brk: 8192, layout: [] }, call('brk', [0], 4096)],
      4,
      /brk answers 0x2000, recorded was 0x1000/,
    ],
    [
      'an action of the kernel',
      [spawn, { type: 'kernel', action: 'memory-failure', process: 0, first: 1, pages: 1 }],
      3,
      /does not take the page away/,
    ],
  ];
  test.each(cases)('at %s', async (_why, records, record, reason) => {
    const error: unknown = await replayed(records, { name: 'my.gz' }).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(TraceError);
    expect(error).toMatchObject({ file: 'my.gz', record, reason: expect.stringMatching(reason) });
  });

  test.each(cases)('and goes on when told to, at %s', async (_why, records) => {
    const { report } = await replayed([...records, { type: 'exit', process: 0 }], { onMismatch: 'skip' });
    expect(report.unexplained + report.mismatches).toBe(1);
    expect(report.byKind.exit).toBe(1);
  });

  const exit = (process: number): BodyRecord => ({ type: 'exit', process });
  const broken: readonly [why: string, records: BodyRecord[], reason: RegExp][] = [
    ['a process that was never introduced', [touch(1, 1, { process: 5 })], /process 5 was never introduced/],
    ['a parent that was never introduced', [start(6, 'fork', 5)], /process 5 was never introduced/],
    ['a process after its exit', [exit(0), exit(0)], /process 0 was never introduced, or has exited/],
    ['a process that is there already', [spawn], /introduced again/],
    [
      'a file that was never introduced',
      [call('mmap', [0, 4096, 1, MAP_PRIVATE, 3, 0], page(1000))],
      /file 3 was never introduced/,
    ],
  ];
  test.each(broken)('at %s, even when told to skip', async (_why, records, reason) => {
    const stopped = replayed([spawn, ...records], { onMismatch: 'skip' });
    await expect(stopped).rejects.toMatchObject({
      name: 'TraceError',
      record: records.length + 2,
      reason: expect.stringMatching(reason),
    });
  });

  test('at a header with another page size', async () => {
    const records = placeRecords([{ ...HEADER, pageSize: 16384 }]);
    await expect(replay(newKernel(), records)).rejects.toMatchObject({
      file: 'trace',
      record: 1,
      reason: expect.stringContaining('16384'),
    });
  });
});

test('a skipped mapping conflict maps all the same, so that later records fit', async () => {
  const { kernel } = await replayed([spawn, map(1000, 2), map(1001, 2), touch(1002)], { onMismatch: 'skip' });
  expect(picture(kernel)).toEqual([['1000-1003 rw-']]);
});

test('every page of a run that can not be explained is counted', async () => {
  const { report } = await replayed([spawn, map(1000, 2), touch(999, 4)], { onMismatch: 'skip' });
  expect(report).toMatchObject({ touches: 4, unexplained: 2, mismatches: 0 });
});

describe('a replay can be given up', () => {
  const endless = function* (): Generator<BodyRecord> {
    yield spawn;
    yield map(1000, 1000);
    for (;;) yield touch(1000, 1000);
  };

  test('between records, with a report of what was done', async () => {
    const abort = new AbortController();
    const progress: number[] = [];
    const report = await replay(newKernel(), placeRecords(endless()), {
      signal: abort.signal,
      onProgress: ({ touches }) => {
        if (progress.push(touches) === 2) abort.abort();
      },
    });
    expect(report.stopped).toBe(true);
    expect(progress).toHaveLength(2);
    expect(report.touches).toBe(progress[1]);
  });

  test('by a timer of the same event loop, inside a long run', async () => {
    const records = [spawn, map(1000, 2 ** 24), touch(1000, 2 ** 24, { write: false })];
    const { report } = await replayed(records, { signal: AbortSignal.timeout(100) });
    expect(report.stopped).toBe(true);
    expect(report.touches).toBeGreaterThan(0);
    expect(report.touches).toBeLessThan(2 ** 24);
  });

  test('before it begins', async () => {
    const { report } = await replayed([spawn], { signal: AbortSignal.abort() });
    expect(report).toMatchObject({ stopped: true, operations: 0 });
  });
});

test('what the records throw comes out unchanged', async () => {
  const records = async function* (): AsyncGenerator<never> {
    throw new TraceError('a.gz', 17, 'broken');
  };
  await expect(replay(newKernel(), records())).rejects.toMatchObject({ file: 'a.gz', record: 17 });
});
