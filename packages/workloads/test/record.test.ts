import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Kernel } from '@rmap-lab/core';
import { anonVma } from '@rmap-lab/strategy-anon-vma';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { CannotRecord, readTrace, record, replay } from '../src/index.js';

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
      return;
    }
    const report = await replay(new Kernel({ strategy: anonVma() }), readTrace(output));
    expect(report).toMatchObject({ unexplained: 0, mismatches: 0 });
    expect(report.touches).toBeGreaterThan(20);
  });

  it('keeps the old trace when the command is mistyped', async () => {
    vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    const output = join(scratch, 'good.trace.gz');
    writeFileSync(output, 'a good trace');
    await expect(record(['no-such-command'], { output })).rejects.toThrow(CannotRecord);
    vi.restoreAllMocks();
    expect(readFileSync(output, 'utf8')).toBe('a good trace');
    expect(readdirSync(scratch)).not.toContain('good.trace.gz.part');
  });

  it.each(['no/such/folder/new.trace.gz', '.'])('says that it can not write %j before the command runs', async (output) => {
    vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    const ran = join(scratch, 'ran');
    await expect(record(['touch', ran], { output: join(scratch, output) })).rejects.toThrow();
    vi.restoreAllMocks();
    expect(existsSync(ran)).toBe(false);
  });
});
