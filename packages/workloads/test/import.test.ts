import { TraceError } from '@rmap-lab/core';
import { describe, expect, it } from 'vitest';
import { explainTouches } from '../src/import/explain.js';
import { leaveOutUnmapped } from '../src/import/leave-out.js';
import { type BodyRecord, failedFaults, importPageFaults, importStrace } from '../src/index.js';

async function records(source: AsyncIterable<BodyRecord>): Promise<BodyRecord[]> {
  const all: BodyRecord[] = [];
  for await (const record of source) all.push(record);
  return all;
}

const EVENTS = `# tracer: nop
              sh-7    [000] d....  1.000001: page_fault_user: address=0x1000 ip=0x1000 error_code=0x6
              sh-7    [000] .....  1.000002: sys_execve(filename: 0x7ffd, argv: 0x7ffe, envp: 0x7fff)
              sh-7    [000] .....  1.000003: sched_process_exec: filename=/usr/bin/prog pid=7 old_pid=7
              sh-7    [000] d....  1.000004: page_fault_kernel: address=0x555500004010 ip=clear_user error_code=0x2
          record-6    [001] .....  1.000005: tracing_mark_write: MAP 7 555500000000-555500004000 r-xp 00001000 fe:00 99    /usr/bin/prog
          record-6    [001] .....  1.000005: tracing_mark_write: MAP 7 555500004000-555500006000 rw-p 00000000 00:00 0
          record-6    [001] .....  1.000005: tracing_mark_write: MAP 7 7ffd00000000-7ffd00021000 rw-p 00000000 00:00 0    [stack]
          record-6    [001] .....  1.000005: tracing_mark_write: MAP 7 ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0    [vsyscall]
          record-6    [001] .....  1.000006: tracing_mark_write: MAPEND 7 0x555500010000
            prog-7    [000] .....  1.000007: sys_execve -> 0x0
            prog-7    [000] d....  1.000008: page_fault_user: address=0x7ffd00020ff8 ip=0x5555 error_code=0x6
            prog-7    [000] .....  1.000009: sys_openat(dfd: 0xffffff9c, filename: 0x5555, flags: 0x80000, mode: 0)
            prog-7    [000] .....  1.000010: sys_openat -> 0x3
            prog-7    [000] .....  1.000011: sys_mmap(addr: 0, len: 0x2000, prot: 1, flags: 2, fd: 3, off: 0x1000)
            prog-7    [000] .....  1.000012: sys_mmap -> 0x7f0000000000
            prog-7    [000] .....  1.000013: task_newtask: pid=8 comm=prog clone_flags=3d0f00 oom_score_adj=0
            prog-7    [000] .....  1.000014: task_newtask: pid=9 comm=prog clone_flags=1200000 oom_score_adj=0
            prog-9    [001] .....  1.000015: sys_munmap(addr: 0x7f0000000000, len: 0x2000)
            prog-7    [000] .....  1.000016: sys_mprotect(start: 0x10, len: 0x1000, prot: 1)
            prog-7    [000] .....  1.000017: sys_mprotect -> 0xffffffffffffffea
            prog-9    [001] .....  1.000018: sys_munmap -> 0x0
            prog-9    [001] d....  1.000019: page_fault_user: address=0xffffffff81000000 ip=0x5555 error_code=0x5
            prog-9    [001] .....  1.000020: sched_process_exit: comm=prog pid=9 prio=120
`;

describe('the importer of recorded page faults', () => {
  it('gives processes, layouts, calls and faults in order, from the first exec on', async () => {
    expect(await records(importPageFaults(EVENTS.split('\n')))).toEqual([
      { type: 'file', file: 1, name: 'prog', size: null },
      { type: 'process', process: 1, parent: null, kind: 'spawn' },
      {
        type: 'exec',
        process: 1,
        brk: 0x555500010000,
        layout: [
          { start: 0x555500000000, end: 0x555500004000, prot: 5, shared: false, kind: 'file', file: 1, offset: 0x1000 },
          { start: 0x555500004000, end: 0x555500006000, prot: 3, shared: false, kind: 'anonymous', file: null, offset: 0 },
          { start: 0x7ffd00000000, end: 0x7ffd00021000, prot: 3, shared: false, kind: 'stack', file: null, offset: 0 },
        ],
      },
      { type: 'touch', process: 1, first: 0x555500004, count: 1, stride: 1, write: true },
      { type: 'touch', process: 1, first: 0x7ffd00020, count: 1, stride: 1, write: true },
      { type: 'file', file: 2, name: 'opened', size: null },
      { type: 'call', process: 1, call: 'mmap', args: [0, 0x2000, 1, 2, 2, 0x1000], result: 0x7f0000000000 },
      { type: 'process', process: 2, parent: 1, kind: 'thread' },
      { type: 'process', process: 3, parent: 1, kind: 'fork' },
      { type: 'call', process: 1, call: 'mprotect', args: [0x10, 0x1000, 1], result: 'EINVAL' },
      { type: 'call', process: 3, call: 'munmap', args: [0x7f0000000000, 0x2000], result: 0 },
      { type: 'exit', process: 3 },
    ]);
  });

  it('reads what Linux 6.19 and later print of a call about files, and refuses a call about memory that is in words', async () => {
    const open =
      'prog-7    [000] .....  1.000009: sys_openat(dfd: 0xffffff9c, filename: 0x5555 "/a, b: 1", flags: O_RDONLY|O_CLOEXEC, mode: 0)';
    const lines = EVENTS.replace(/prog-7.*sys_openat\(.*/, open).split('\n');
    expect(await records(importPageFaults(lines))).toEqual(await records(importPageFaults(EVENTS.split('\n'))));
    const words = EVENTS.replace('flags: 2', 'flags: MAP_PRIVATE').split('\n');
    const at = words.findIndex((line) => line.includes('sys_mmap ->')) + 1;
    await expect(records(importPageFaults(words, 'my-events'))).rejects.toThrow(
      new TraceError('my-events', at, 'mmap has 5 arguments that are numbers, not 6'),
    );
  });

  it('leaves out what was asked beyond all limits, what a register held that no call looks at, and locks that bring in no page', async () => {
    const asked = (call: string, args: string, answer: string): string =>
      `prog-7 [000] ..... 1.5: sys_${call}(${args})\nprog-7 [000] ..... 1.6: sys_${call} -> ${answer}\n`;
    const odd = [
      asked('munmap', 'addr: 0x1000, len: 0xfffffffffffff000', '0xffffffffffffffea'),
      asked('brk', 'brk: 0xffffffffffffffff', '0x555500010000'),
      asked('madvise', 'start: 0xfffffffffffff000, len_in: 0, behavior: 4', '0x0'),
      asked('mlock2', 'start: 0x7f0000000000, len: 0x1000, flags: 1', '0x0'),
    ].join('');
    const place = 'addr: 0xfffffffffffff000, len: 0x1000, prot: 3, flags: 0x22, fd: 0xffffffffffffffff, off: 0';
    const move = 'addr: 0x7f0000000000, old_len: 0x1000, new_len: 0x2000, flags: 1, new_addr: 0xfffffffffffffff2';
    const kept = asked('mmap', place, '0x7f0000000000') + asked('mremap', move, '0x7f0000010000');
    const calls = (await records(importPageFaults(`${EVENTS}${odd}${kept}`.split('\n')))).slice(-3);
    expect(calls).toEqual([
      { type: 'exit', process: 3 },
      { type: 'call', process: 1, call: 'mmap', args: [0, 0x1000, 3, 0x22, -1, 0], result: 0x7f0000000000 },
      { type: 'call', process: 1, call: 'mremap', args: [0x7f0000000000, 0x1000, 0x2000, 1, 0], result: 0x7f0000010000 },
    ]);
  });

  it('takes a page fault that found no memory for no touch: of a signal, and of a call that answers EFAULT', async () => {
    const lines = `${EVENTS}
            prog-7    [000] d....  2.1: page_fault_user: address=0x7ffd0001f000 ip=0x5555 error_code=0x4
            prog-7    [000] d....  2.2: page_fault_user: address=0x7ffd0001f008 ip=0x5555 error_code=0x7
            prog-8    [001] d....  2.3: page_fault_user: address=0x7ffd0001e000 ip=0x5555 error_code=0x6
          record-6    [001] .....  2.4: tracing_mark_write: SIGNAL 7 0x7ffd0001f008
            prog-7    [000] d....  2.5: page_fault_user: address=0x7ffd0001f008 ip=0x5555 error_code=0x7
            prog-8    [001] d....  2.6: page_fault_kernel: address=0x10 ip=copy error_code=0x0
            prog-8    [001] d....  2.7: page_fault_kernel: address=0x11 ip=copy error_code=0x0
            prog-8    [001] .....  2.8: sys_exit: NR 1 = -14
            prog-8    [001] .....  2.9: sys_exit: NR 1 = -14`.split('\n');
    const touches = (await records(importPageFaults(lines, 'events', await failedFaults(lines)))).slice(-4);
    expect(touches.map((record) => record.type === 'touch' && [record.process, record.first, record.write])).toEqual([
      false,
      [1, 0x7ffd0001f, false],
      [2, 0x7ffd0001e, true],
      [1, 0x7ffd0001f, true],
    ]);
  });

  it('puts a call that freed memory before one of another thread that got it, though that came back first', async () => {
    const lines = `${EVENTS}
            prog-7    [000] .....  3.1: sys_munmap(addr: 0x7f0000000000, len: 0x1000)
            prog-7    [000] .....  3.2: sys_munmap -> 0x0
            prog-7    [000] .....  3.3: sys_mremap(addr: 0x7f0000001000, old_len: 0x1000, new_len: 0x3000, flags: 1, new_addr: 0)
            prog-8    [001] .....  3.3: sys_mmap(addr: 0, len: 0x2000, prot: 3, flags: 0x22, fd: 0xffffffffffffffff, off: 0)
            prog-8    [001] .....  3.4: sys_mmap -> 0x7f0000000000
            prog-8    [001] d....  3.5: page_fault_user: address=0x7f0000001000 ip=0x5555 error_code=0x6
            prog-7    [000] .....  3.6: sys_mremap -> 0x7f0000100000
            prog-7    [000] .....  4.3: sys_munmap(addr: 0x7f0000000000, len: 0x2000)
            prog-8    [001] .....  4.3: sys_mmap(addr: 0, len: 0x2000, prot: 3, flags: 0x22, fd: 0xffffffffffffffff, off: 0)
            prog-8    [001] .....  4.4: sys_mmap -> 0x7f0000000000
            prog-7    [000] .....  4.5: sys_munmap -> 0xfffffffffffffffc`.split('\n');
    const order = (await records(importPageFaults(lines))).slice(-5);
    expect(order.map((record) => ('call' in record ? record.call : record.type))).toEqual([
      'munmap',
      'mremap',
      'mmap',
      'touch',
      'mmap',
    ]);
  });

  it('starts a child from what was mapped when it was copied, whatever threads did until it was there', async () => {
    const lines = `${EVENTS}
            prog-7    [000] .....  8.1: sys_clone(clone_flags: 0x1200011, newsp: 0, parent_tidptr: 0, child_tidptr: 0, tls: 0)
            prog-8    [001] .....  8.2: sys_mmap(addr: 0, len: 0x2000, prot: 3, flags: 0x22, fd: 0xffffffffffffffff, off: 0)
            prog-7    [000] .....  8.3: mmap_lock_released: mm=00000000aa memcg_id=1 write=true
            prog-8    [001] d....  8.4: page_fault_user: address=0x7f0000001000 ip=0x5555 error_code=0x6
            prog-7    [000] .....  8.5: mmap_lock_released: mm=00000000bb memcg_id=1 write=true
            prog-8    [001] .....  8.6: sys_mmap -> 0x7f0000100000
            prog-7    [000] .....  8.7: task_newtask: pid=11 comm=prog clone_flags=1200000 oom_score_adj=0
            prog-7    [000] .....  8.8: sys_clone -> 0xb
            prog-7    [000] .....  9.1: sys_clone(clone_flags: 0x1200011, newsp: 0, parent_tidptr: 0, child_tidptr: 0, tls: 0)
            prog-7    [000] .....  9.2: mmap_lock_released: mm=00000000bb memcg_id=1 write=true
            prog-7    [000] .....  9.3: sys_clone -> 0xfffffffffffffff4
            prog-8    [001] d....  9.4: page_fault_user: address=0x7f0000002000 ip=0x5555 error_code=0x6`.split('\n');
    const order = (await records(importPageFaults(lines))).slice(-4);
    expect(order.map((record) => ('call' in record ? record.call : record.type))).toEqual(['touch', 'process', 'mmap', 'touch']);
  });

  it('maps and unmaps a file where shared memory is attached and detached, also by a child', async () => {
    const asked = (pid: number, call: string, args: string, answer: string): string =>
      `prog-${pid} [000] ..... 5.5: sys_${call}(${args})\nprog-${pid} [000] ..... 5.6: sys_${call} -> ${answer}\n`;
    const lines = [
      EVENTS,
      asked(7, 'shmget', 'key: 0, size: 0x5000, shmflg: 0x380', '0x10001'),
      asked(7, 'shmat', 'shmid: 0x10001, shmaddr: 0, shmflg: 0', '0x7f0000200000'),
      'prog-7 [000] ..... 6.1: task_newtask: pid=10 comm=prog clone_flags=1200000 oom_score_adj=0\n',
      asked(7, 'shmdt', 'shmaddr: 0x7f0000200000', '0x0'),
      asked(10, 'shmat', 'shmid: 0x10001, shmaddr: 0, shmflg: 0x1000', '0x7f0000100000'),
      asked(10, 'shmdt', 'shmaddr: 0x7f0000200000', '0x0'),
      asked(10, 'shmdt', 'shmaddr: 0x7f0000200000', '0xffffffffffffffea'),
    ].join('');
    const calls = (await records(importPageFaults(lines.split('\n')))).slice(-6);
    expect(calls).toEqual([
      { type: 'file', file: 3, name: 'segment 65537', size: null },
      { type: 'call', process: 1, call: 'mmap', args: [0x7f0000200000, 0x5000, 3, 1, 3, 0], result: 0x7f0000200000 },
      { type: 'process', process: 4, parent: 1, kind: 'fork' },
      { type: 'call', process: 1, call: 'munmap', args: [0x7f0000200000, 0x5000], result: 0 },
      { type: 'call', process: 4, call: 'mmap', args: [0x7f0000100000, 0x5000, 1, 1, 3, 0], result: 0x7f0000100000 },
      { type: 'call', process: 4, call: 'munmap', args: [0x7f0000200000, 0x5000], result: 0 },
    ]);
  });

  it('knows that memory which grows down, and the stack, may grow to a page that was touched', async () => {
    const lines = `${EVENTS}
            prog-7    [000] d....  7.1: page_fault_user: address=0x7ffcff000000 ip=0x5555 error_code=0x6
            prog-7    [000] .....  7.2: sys_mmap(addr: 0, len: 0x2000, prot: 3, flags: 0x122, fd: 0xffffffffffffffff, off: 0)
            prog-7    [000] .....  7.3: sys_mmap -> 0x7e0000000000
            prog-7    [000] d....  7.4: page_fault_user: address=0x7dffffff0000 ip=0x5555 error_code=0x6
            prog-7    [000] d....  7.5: page_fault_user: address=0x7e0000003000 ip=0x5555 error_code=0x6
            prog-9    [000] .....  7.6: sched_process_exit: comm=prog pid=9 prio=120`.split('\n');
    const unexplained: number[] = [];
    await records(explainTouches(importPageFaults(lines), ({ first }) => unexplained.push(first)));
    expect(unexplained).toEqual([0x7e0000003]);
  });

  it('reads names with line feeds in them', async () => {
    const lines = EVENTS.replaceAll('comm=prog', 'comm=a\nb')
      .replaceAll('/usr/bin/prog pid', '/usr/bin/a\nb pid')
      .replaceAll(' prog-7', ' a\nb-7')
      .split('\n');
    expect(await records(importPageFaults(lines))).toEqual(await records(importPageFaults(EVENTS.split('\n'))));
  });

  it('refuses what the recorder did not write, with the line', async () => {
    const broken = [...EVENTS.split('\n').slice(0, 3), 'this is no event'];
    await expect(records(importPageFaults(broken, 'my-events'))).rejects.toThrow(
      new TraceError('my-events', 4, "'this is no event' is no event of the recorder"),
    );
  });
});

const STRACE = `7 execve("/usr/bin/prog", ["prog"], 0x7ffd /* 20 vars */) = 0
7 brk(NULL) = 0x555500010000
7 mmap(NULL, 8192, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0) = 0x7f0000000000
7 mmap(NULL, 4096, PROT_READ, MAP_PRIVATE|MAP_DENYWRITE, 3, 0x1000) = 0x7f0000004000
7 mprotect(0x7f0000000000, 4096, PROT_READ <unfinished ...>
7 <... mprotect resumed>) = 0
7 clone(child_stack=NULL, flags=CLONE_CHILD_CLEARTID|SIGCHLD, child_tidptr=0x7f00) = 8
8 munmap(0x7f0000000000, 8192 <unfinished ...>
7 madvise(0x7f0000000000, 4096, MADV_DONTNEED) = -1 EINVAL (Invalid argument)
8 <... munmap resumed>) = 0
8 exit_group(0) = ?
8 +++ exited with 0 +++
7 --- SIGCHLD {si_signo=SIGCHLD} ---
7 clone3({flags=CLONE_VM|CLONE_VFORK, exit_signal=SIGCHLD}, 88) = 9
7 mremap(0x7f0000000000, 4096, 8192, MREMAP_MAYMOVE) = 0x7f0000010000
7 +++ exited with 0 +++
`;

describe('the importer of strace output', () => {
  it('gives processes and calls in order, with flags as numbers', async () => {
    expect(await records(importStrace(STRACE.split('\n')))).toEqual([
      { type: 'process', process: 1, parent: null, kind: 'spawn' },
      { type: 'exec', process: 1, brk: 0x555500010000, layout: [] },
      { type: 'call', process: 1, call: 'brk', args: [0], result: 0x555500010000 },
      { type: 'call', process: 1, call: 'mmap', args: [0, 8192, 3, 0x22, -1, 0], result: 0x7f0000000000 },
      { type: 'file', file: 1, name: 'opened', size: null },
      { type: 'call', process: 1, call: 'mmap', args: [0, 4096, 1, 0x802, 1, 0x1000], result: 0x7f0000004000 },
      { type: 'call', process: 1, call: 'mprotect', args: [0x7f0000000000, 4096, 1], result: 0 },
      { type: 'process', process: 2, parent: 1, kind: 'fork' },
      { type: 'call', process: 1, call: 'madvise', args: [0x7f0000000000, 4096, 4], result: 'EINVAL' },
      { type: 'call', process: 2, call: 'munmap', args: [0x7f0000000000, 8192], result: 0 },
      { type: 'exit', process: 2 },
      { type: 'process', process: 3, parent: 1, kind: 'vfork' },
      { type: 'call', process: 1, call: 'mremap', args: [0x7f0000000000, 4096, 8192, 1, 0], result: 0x7f0000010000 },
      { type: 'exit', process: 1 },
    ]);
  });

  it('tells each exec where its heap starts, in order, and leaves it unknown where nobody asked', async () => {
    const lines = [
      '7 execve("sh", [], 0) = 0',
      '7 brk(NULL) = 0x1000',
      '7 vfork() = 8',
      '8 execve("a", [], 0) = 0',
      '7 brk(0x3000) = 0x3000',
      '8 brk(NULL) = 0x5000',
      '7 vfork() = 9',
      '9 execve("b", [], 0) = 0',
      '9 brk(0x9000) = 0x9000',
      '9 execve("c", [], 0) = 0',
      '9 +++ exited with 0 +++',
    ];
    const said = (await records(importStrace(lines))).map((record) =>
      record.type === 'exec'
        ? `exec ${record.process} ${record.brk?.toString(16)}`
        : `${record.type} ${'process' in record && record.process}`,
    );
    expect(said).toEqual([
      'process 1',
      'exec 1 1000',
      'call 1',
      'process 2',
      'exec 2 5000',
      'call 1',
      'call 2',
      'process 3',
      'exec 3 undefined',
      'call 3',
      'exec 3 undefined',
      'exit 3',
    ]);
  });

  it('leaves out what was asked beyond all limits, and takes a wish for a place there for none', async () => {
    const lines = [
      '7 munmap(0x1000, 18446744073709547520) = -1 EINVAL (Invalid argument)',
      '7 brk(0xffffffffffffffff) = 0x555500010000',
      '7 madvise(0xfffffffffffff000, 0, MADV_DONTNEED) = 0',
      '7 mlock2(0x7f0000000000, 4096, MLOCK_ONFAULT) = 0',
      '7 mmap(NULL, 18446744073709551615, PROT_READ, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0) = -1 ENOMEM (Cannot allocate memory)',
      '7 mmap(0xfffffffffffff000, 4096, PROT_READ, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0) = 0x7f0000000000',
    ];
    expect((await records(importStrace(lines))).slice(1)).toEqual([
      { type: 'call', process: 1, call: 'mmap', args: [0, 4096, 1, 0x22, -1, 0], result: 0x7f0000000000 },
    ]);
  });

  it('puts a call that freed memory before one of another thread that got it, though that came back first', async () => {
    const lines = [
      '7 mmap(NULL, 8192, PROT_READ, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0) = 0x7f0000000000',
      '7 clone3({flags=CLONE_VM|CLONE_FILES, exit_signal=0}, 88) = 8',
      '7 munmap(0x7f0000000000, 8192 <unfinished ...>',
      '8 mmap(NULL, 4096, PROT_READ, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0) = 0x7f0000001000',
      '8 mmap(NULL, 4096, PROT_READ, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0) = 0x7f0000002000',
      '7 <... munmap resumed>) = 0',
      '7 munmap(0x7f0000001000, 4096 <unfinished ...>',
      '8 mmap(NULL, 4096, PROT_READ, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0) = 0x7f0000001000',
      '7 <... munmap resumed>) = ?',
    ];
    const order = (await records(importStrace(lines))).slice(3);
    expect(order.map((record) => 'call' in record && `${record.process} ${record.call}`)).toEqual([
      '1 munmap',
      '2 mmap',
      '2 mmap',
      '2 mmap',
    ]);
  });

  it('keeps a move of several mappings with the holes between them', async () => {
    const lines = [
      '7 mmap(NULL, 12288, PROT_READ, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0) = 0x7f0000000000',
      '7 munmap(0x7f0000001000, 4096) = 0',
      '7 mremap(0x7f0000000000, 12288, 12288, MREMAP_MAYMOVE|MREMAP_FIXED, 0x7f0000010000) = 0x7f0000010000',
      '7 mremap(0x7f0000020000, 4096, 4096, MREMAP_MAYMOVE) = 0x7f0000020000',
    ];
    const kept = await records(leaveOutUnmapped(importStrace(lines), () => {}));
    expect(kept.flatMap((record) => ('call' in record ? [record.call] : []))).toEqual(['mmap', 'munmap', 'mremap']);
  });

  it('knows that huge pages are mapped as a whole', async () => {
    const lines = [
      '7 mmap(NULL, 4096, PROT_READ, MAP_PRIVATE|MAP_ANONYMOUS|MAP_HUGETLB, -1, 0) = 0x7f0000200000',
      '7 mmap(NULL, 4096, PROT_READ, MAP_PRIVATE|MAP_ANONYMOUS|MAP_HUGETLB|30<<MAP_HUGE_SHIFT, -1, 0) = 0x7f0040000000',
    ];
    const lengths = (await records(importStrace(lines))).map((record) => 'call' in record && record.args[1]);
    expect(lengths).toEqual([false, 2 ** 21, 2 ** 30]);
  });

  it('knows a file that is deleted, or has commas in its name, by its path', async () => {
    const mapped = async (descriptor: string): Promise<BodyRecord[]> =>
      (
        await records(
          importStrace([`7 mmap(NULL, 4096, PROT_READ, MAP_PRIVATE|21<<MAP_HUGE_SHIFT, ${descriptor}, 0x2000) = 0x1000`]),
        )
      ).slice(1);
    const call = { type: 'call', process: 1, call: 'mmap', args: [0, 4096, 1, 2 + 21 * 2 ** 26, 1, 0x2000], result: 0x1000 };
    expect(await mapped('3</memfd:x>(deleted)')).toEqual([{ type: 'file', file: 1, name: 'memfd:x', size: null }, call]);
    expect(await mapped('3</a, b\\76c>')).toEqual([{ type: 'file', file: 1, name: 'a, b\\76c', size: null }, call]);
    expect(await mapped('3</a, b>(deleted)')).toEqual([{ type: 'file', file: 1, name: 'a, b', size: null }, call]);
  });

  it.each([
    ['11:59:59', '12:00:00'],
    ['11:59:59.999999', '12:00:00.000001'],
    ['1700000000.123456', '1700000001.123456'],
    ['     0.000123', '     1.000000'],
  ])('takes the times %s and %s for no tasks', async (first, second) => {
    const lines = [`${first} munmap(0x1000, 4096) = 0`, `${second} munmap(0x2000, 4096) = 0`];
    expect((await records(importStrace(lines))).map((record) => 'process' in record && record.process)).toEqual([1, 1, 1]);
  });

  it.each([
    ['no line of strace', ['7 hello']],
    ["'PROT_FANCY' is no number and no flag", ['7 execve("x", [], 0) = 0', '7 mprotect(0x1000, 4096, PROT_FANCY) = 0']],
  ])('refuses %s, with the line', async (reason, lines) => {
    const failure = await records(importStrace(lines, 'my.strace')).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(TraceError);
    expect(failure).toMatchObject({ file: 'my.strace', record: lines.length, reason: expect.stringContaining(reason) });
  });
});
