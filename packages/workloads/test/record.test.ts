import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Kernel } from '@rmap-lab/core';
import { anonVma } from '@rmap-lab/strategy-anon-vma';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { leaveOutUnmapped } from '../src/import/leave-out.js';
import {
  type BodyRecord,
  type CallRecord,
  CannotRecord,
  importStrace,
  type PlacedRecord,
  type Recording,
  readTrace,
  record,
  replay,
} from '../src/index.js';

const scratch = mkdtempSync(join(tmpdir(), 'rmap-lab-test-'));
afterAll(() => rmSync(scratch, { recursive: true }));

const has = (program: string): boolean => spawnSync(program, ['--version']).status === 0;
const pageFaults = process.getuid?.() === 0 && existsSync('/sys/kernel/tracing/instances') && has('cc');

describe('record', () => {
  it('records a real program so that its replay explains every fault, or says plainly what is missing', async () => {
    vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    const output = join(scratch, 'true.trace.gz');
    const attempt = await record(['sh', '-c', 'exec true'], { output }).catch((error: unknown) => error);
    vi.restoreAllMocks();
    if (attempt instanceof CannotRecord) {
      expect(attempt.message).toMatch(/takes Linux|install strace/);
      return;
    }
    expect(attempt).toMatchObject({ output, method: pageFaults ? 'page-faults' : 'strace' });
    if (!pageFaults) {
      expect(attempt).toMatchObject({ missing: expect.stringMatching(/page faults take/) });
      const { leftOut } = attempt as Recording;
      const report = await replay(new Kernel({ strategy: anonVma() }), readTrace(output));
      expect(report).toMatchObject({ mismatches: 0, touches: 0 });
      const header = (await readTrace(output).next()).value;
      expect(header?.record).toMatchObject({ options: { 'left-out': expect.stringContaining(`${leftOut} calls`) } });
      return;
    }
    const report = await replay(new Kernel({ strategy: anonVma() }), readTrace(output));
    expect(report).toMatchObject({ unexplained: 0, mismatches: 0 });
    expect(report.touches).toBeGreaterThan(20);
  });

  it('keeps the old trace, and whatever else is there, when the command is mistyped', async () => {
    vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    const output = join(scratch, 'good.trace.gz');
    writeFileSync(output, 'a good trace');
    writeFileSync(`${output}.part`, 'somebody else is at it');
    await expect(record(['no-such-command'], { output })).rejects.toThrow(CannotRecord);
    vi.restoreAllMocks();
    expect(readFileSync(output, 'utf8')).toBe('a good trace');
    expect(readFileSync(`${output}.part`, 'utf8')).toBe('somebody else is at it');
    expect(readdirSync(scratch).filter((name) => name.endsWith('.part'))).toEqual(['good.trace.gz.part']);
  });

  it.each(['no/such/folder/new.trace.gz', '.'])('says that it can not write %j before the command runs', async (output) => {
    vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    const ran = join(scratch, 'ran');
    await expect(record(['touch', ran], { output: join(scratch, output) })).rejects.toThrow();
    vi.restoreAllMocks();
    expect(existsSync(ran)).toBe(false);
  });
});

/** Records a shell script; its words stand for `$1` and so on. */
async function recordScript(name: string, script: string, ...words: readonly string[]): Promise<Recording> {
  vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  const command = ['sh', '-c', script, 'sh', ...words];
  return await record(command, { output: join(scratch, name) }).finally(() => vi.restoreAllMocks());
}

describe.runIf(pageFaults)('a program that is recorded', () => {
  it('stops, goes on and traps as it does alone', async () => {
    const [early, late, trapped] = ['early', 'late', 'trapped'].map((name) => join(scratch, name));
    const stopped = `sh -c 'kill -STOP $$; touch "$0"' "$2" & sleep 0.2; test -e "$2" || touch "$1"; kill -CONT $!; wait`;
    await recordScript('stopped.trace.gz', `${stopped}; trap 'touch "$3"' TRAP; kill -TRAP $$`, early, late, trapped);
    expect([early, late, trapped].filter((file) => !existsSync(file))).toEqual([]);
  });

  it('may use addresses that it does not have, and have a line feed in its name', async () => {
    const program = join(scratch, 'line\nfeed');
    const wild = '#include <unistd.h>\nint main(void) { return write(1, (char *)8, 1) < 0 ? *(volatile char *)16 : 0; }';
    spawnSync('cc', ['-x', 'c', '-o', program, '-'], { input: wild });
    const { unexplained, output } = await recordScript('wild.trace.gz', '"$1" || true', program);
    expect(unexplained).toBe(0);
    const report = await replay(new Kernel({ strategy: anonVma() }), readTrace(output));
    expect(report.byKind).toMatchObject({ exec: 2, exit: 2 });
  });

  it('is told when the recording is to end, and what it did by then is kept', async () => {
    const ready = join(scratch, 'ready');
    const recorded = recordScript('ended.trace.gz', 'touch "$1"; exec sleep 9', ready);
    await vi.waitFor(() => expect(existsSync(ready)).toBe(true), { timeout: 5000 });
    process.listeners('SIGTERM').at(-1)?.('SIGTERM');
    expect((await recorded).end.counts).toMatchObject({ exit: 2 });
  });
});

describe.runIf(pageFaults)('the recorder', () => {
  const recorder = join(scratch, 'small-recorder');
  beforeAll(() => {
    const small = ['-DBUFFER_KB=2048', '-DLEAST_KB=1024', '-pthread', '-o', recorder];
    spawnSync('cc', [...small, new URL('../recorder/record.c', import.meta.url).pathname]);
  });

  it('takes more events than its buffers hold', () => {
    const busy = join(scratch, 'busy');
    const input = `#include <sys/mman.h>
      #include <unistd.h>
      int main(void) {
        for (int i = 0; i < 30; i++, usleep(4000)) {
          char *p = mmap(0, 1 << 23, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
          for (int at = 0; at < 1 << 23; at += 4096) p[at] = 1;
          munmap(p, 1 << 23);
        }
      }`;
    spawnSync('cc', ['-x', 'c', '-o', busy, '-'], { input });
    const events = join(scratch, 'many-events');
    expect(spawnSync(recorder, [events, busy]).stderr.toString()).toBe('record: the command ended with status 0\n');
    expect(readFileSync(events, 'utf8').split('page_fault_user').length).toBeGreaterThan(30 * 2048);
  });

  it('removes what a recorder left that was killed', async () => {
    const killed = spawn(recorder, [join(scratch, 'killed'), 'sleep', '9']);
    const left = `/sys/kernel/tracing/instances/rmap-lab-${killed.pid}`;
    await vi.waitFor(() => expect(existsSync(left)).toBe(true), { timeout: 5000 });
    killed.kill('SIGKILL');
    await once(killed, 'close');
    expect(existsSync(left)).toBe(true);
    spawnSync(recorder, [join(scratch, 'after'), 'true']);
    expect(existsSync(left)).toBe(false);
  });

  it('says that it could not write all', () => {
    const { status, stderr } = spawnSync(recorder, ['/dev/full', 'true']);
    expect([status, stderr.toString()]).toEqual([
      1,
      expect.stringContaining("can't keep the events in /dev/full: No space left"),
    ]);
  });
});

/** What strace shows of a real program, whatever else could be recorded here. */
const straceOf = (command: readonly string[]): readonly string[] => {
  const events = join(scratch, 'events');
  spawnSync('strace', ['-f', '-y', '-e', 'trace=memory,process', '-o', events, ...command]);
  return readFileSync(events, 'utf8').trim().split('\n');
};

describe.runIf(has('strace'))('what strace shows of a program', () => {
  it.each([['true'], ['sh', '-c', 'ls / | wc']])('is replayed with no answer that differs: %s %s %s', async (...command) => {
    const leftOut: CallRecord[] = [];
    const records = leaveOutUnmapped(importStrace(straceOf(command)), (call) => leftOut.push(call));
    const report = await replay(new Kernel({ strategy: anonVma() }), place(records));
    expect(report).toMatchObject({ mismatches: 0, unexplained: 0, touches: 0 });
    expect(report.byKind.exec).toBe(command.length === 1 ? 1 : 3);
    expect(report.byKind.brk).toBeGreaterThanOrEqual(report.byKind.exec);
    // The dynamic linker protects a part of the program and of itself, both of which exec mapped.
    expect(leftOut.map(({ call }) => call)).toEqual(Array(leftOut.length).fill('mprotect'));
    expect(leftOut.length).toBeGreaterThan(0);
  });
});

async function* place(records: AsyncIterable<BodyRecord>): AsyncGenerator<PlacedRecord> {
  let position = 0;
  for await (const record of records) yield { record, position: ++position };
}
