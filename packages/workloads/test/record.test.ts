import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
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
});
