import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { describe, expect, test } from 'vitest';
import type { KernelRow } from '../src/kernel/contest.js';

const directory = fileURLToPath(new URL('..', import.meta.url));

/** Runs the built program, as `npm run bench:kernel` does. */
const bench = (...args: string[]) => execa({ cwd: directory, reject: false })`node dist/kernel.js ${args}`;

interface Report {
  readonly schema: string;
  readonly rows: readonly KernelRow[];
  readonly missing: readonly { readonly id: string; readonly reason: string }[];
}

/** Calls and pages of one quick run. */
const WORK: Readonly<Record<string, readonly [calls: number, pages: number]>> = {
  'fault.first-touch': [1, 64],
  'fault.cow-copy': [1, 64],
  'fault.cow-reuse': [1, 64],
  'fork.pte': [1, 0],
  'fork.vma': [1, 0],
  'mmap-munmap': [32, 0],
  'mprotect.split-merge': [32, 0],
  'mremap.move': [16, 0],
  'page-out.walk-18': [1, 32],
};

const hasGcc = (process.env.PATH ?? '').split(delimiter).some((folder) => existsSync(join(folder, 'gcc')));
const canCompile = process.platform === 'linux' && hasGcc;

describe.runIf(canCompile)('the kernel beside the model', () => {
  // Who changes settings of the machine waits for others who do.
  test('every row did the same operations on all sides, or is named as missing', { timeout: 300_000 }, async () => {
    const { stdout } = await bench('--quick', '--json', '--strategy', 'anon-vma', '--strategy', 'cow-context');
    const { schema, rows, missing } = JSON.parse(stdout) as Report;
    expect(schema).toBe('rmap-lab/bench-kernel@1');
    expect([...rows, ...missing].map(({ id }) => id).sort()).toEqual(Object.keys(WORK).sort());
    for (const { reason } of missing) expect(reason).not.toBe('');
    for (const { id, kernel, models } of rows) {
      expect(models.map(({ strategy }) => strategy)).toEqual(['anon-vma', 'cow-context']);
      for (const side of [kernel, ...models]) {
        expect([side.calls, side.pages], id).toEqual(WORK[id]);
        expect(side.ns, id).toBeGreaterThan(0);
      }
      for (const { ratio } of models) expect(ratio, id).toBeGreaterThan(0);
    }
  });

  test('a table says the unit of each row', { timeout: 60_000 }, async () => {
    const { stdout } = await bench('--quick', '--rows', 'fork.vma,mremap.move');
    expect(stdout).toMatch(/fork\.vma.*x.*ns\/VMA/);
    expect(stdout).toMatch(/mremap\.move.*x.*ns\/move/);
    expect(stdout).not.toContain('first-touch');
  });
});

test.runIf(!canCompile)('where nothing can be compiled, it says what it takes', async () => {
  const { stderr, exitCode } = await bench('--quick');
  expect(exitCode).toBe(2);
  expect(stderr).toMatch(/Linux|gcc/);
});

test('an unknown row or strategy is refused with those that there are', { timeout: 60_000 }, async () => {
  const row = await bench('--rows', 'fork.pmd');
  expect(row.exitCode).toBe(2);
  expect(row.stderr).toContain('fork.pte');
  const strategy = await bench('--strategy', 'anon-vam');
  expect(strategy.exitCode).toBe(2);
  expect(strategy.stderr).toContain('anon-vma, anon-vma-lazy, cow-context');
});
