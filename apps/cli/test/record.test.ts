import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { rmapLab, scratch } from './command.js';

const pageFaults =
  process.getuid?.() === 0 && existsSync('/sys/kernel/tracing/instances') && spawnSync('cc', ['--version']).status === 0;

it.runIf(pageFaults)('says that a program used memory which no record maps, as the ring of asynchronous I/O', async () => {
  const program = join(scratch, 'ring');
  const input = `#include <sys/syscall.h>
    #include <unistd.h>
    int main(void) { unsigned long ring = 0; return syscall(SYS_io_setup, 1, &ring) ? 1 : *(volatile char *)ring & 0; }`;
  spawnSync('cc', ['-x', 'c', '-o', program, '-'], { input });
  const { status, err } = await rmapLab(['record', '-o', 'ring.trace.gz', '--', program]);
  expect([status, err]).toEqual([0, expect.stringContaining('1 page faults were in memory that nothing recorded had mapped')]);
});

const apart = ['-pf', '--mount-proc'];
const strace = spawnSync('strace', ['-V']).status === 0;
it.runIf(pageFaults && strace && spawnSync('unshare', [...apart, 'true']).status === 0)(
  'records by strace where tasks have other numbers than in events',
  () => {
    const output = join(scratch, 'apart.trace.gz');
    const main = new URL('../dist/main.js', import.meta.url).pathname;
    const { status, stderr } = spawnSync('unshare', [...apart, process.execPath, main, 'record', '-o', output, '--', 'true']);
    expect([status, stderr.toString()]).toEqual([0, expect.stringContaining('page faults take the first PID namespace')]);
  },
);
