import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import type { Row } from '../src/row.js';

const directory = fileURLToPath(new URL('..', import.meta.url));

/** Runs the built program, as `npm run bench` does. */
const bench = (...args: string[]) =>
  execa({
    cwd: directory,
    reject: false,
  })`node dist/main.js ${args}`;

const MACHINES = [
  ...['fault.first-touch', 'fault.cow', 'fork.pte', 'fork.vma', 'mmap-munmap', 'mprotect.split-merge', 'mremap.move'],
  ...[
    'walk.sharers-1000',
    'walk.list-1000',
    'fault.thp',
    'fork.thp',
    'reclaim.page',
    'migrate.page',
    'split.folio',
    'verify.full',
    'verify.incremental',
    'conformance.random',
    'memory.bytes-per-page',
  ],
  ...['growth.mmap-munmap', 'growth.fault', 'growth.fork-pte', 'growth.walk'],
];
const STRUCTURES = [
  ...['vma-tree.insert', 'vma-tree.lookup', 'vma-tree.lookup-1000'],
  ...['interval-tree.stab', 'interval-tree.insert', 'growth.vma-insert', 'growth.vma-lookup'],
];

test('a quick run measures every row against something', { timeout: 120_000 }, async () => {
  const { stdout } = await bench('--quick', '--json');
  const report = JSON.parse(stdout) as { schema: string; rows: Row[] };
  expect(report.schema).toBe('rmap-lab/bench@1');
  expect(report.rows.map(({ id }) => id)).toEqual([...MACHINES, ...STRUCTURES]);
  for (const row of report.rows) {
    expect(row).toMatchObject({ unit: expect.any(String), ours: expect.any(Number), other: expect.any(Number) });
    expect(row.otherName).not.toBe('');
    if (row.unit !== 'exponent') expect(row.ratio).toBeGreaterThan(0);
    if (row.target !== null) expect(row.reached).toMatch(/^(aim|floor|no)$/);
  }
});

test('strategies come side by side, in every row in which a machine runs', { timeout: 60_000 }, async () => {
  const names = ['anon-vma', 'anon-vma-lazy', 'cow-context:poc'];
  const ids = ['fork.vma', 'mprotect.split-merge'];
  const options = ['--quick', '--rows', ids.join(), ...names.flatMap((name) => ['--strategy', name])];
  const { rows } = JSON.parse((await bench(...options, '--json')).stdout) as { rows: Row[] };
  expect(rows.map(({ id, strategy }) => [id, strategy])).toEqual(ids.flatMap((id) => names.map((name) => [id, name])));
  const lines = (await bench(...options)).stdout.split('\n');
  expect(lines[1]).toMatch(/row.*anon-vma.*anon-vma-lazy.*cow-context:poc/);
  expect(lines[3]).toMatch(/fork\.vma.*x.*x.*x.*ns\/VMA/);
  const { stderr } = await bench('--strategy', 'anon-vma', '--rows', 'vma-tree.insert');
  expect(stderr).toContain(`there are: ${MACHINES.join(', ')}\n`);
});

test('rows can be chosen, and come as a table', { timeout: 60_000 }, async () => {
  const { stdout } = await bench('--quick', '--rows', 'fault.cow,walk.sharers-1000');
  expect(stdout).toContain('fault.cow');
  expect(stdout).toContain('walk.sharers-1000');
  expect(stdout).not.toContain('fork.pte');
});

test('an unknown row is refused with the rows that there are', { timeout: 60_000 }, async () => {
  const { stderr, exitCode } = await bench('--rows', 'fault.first-tuch');
  expect(exitCode).toBe(2);
  expect(stderr).toContain("no row 'fault.first-tuch'");
  expect(stderr).toContain('fault.first-touch');
});
