import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import type { Row } from '../src/row.js';

const directory = fileURLToPath(new URL('..', import.meta.url));

/** Runs the built program, as `npm run bench:explorer` does. */
const bench = (...args: string[]) => execa({ cwd: directory, reject: false })`node dist/explorer.js ${args}`;

test('every row is a figure of the same run as what it is compared with', { timeout: 60_000 }, async () => {
  const { stdout } = await bench('--quick', '--json');
  const { schema, rows } = JSON.parse(stdout) as { schema: string; rows: Row[] };
  expect(schema).toBe('rmap-lab/bench-explorer@1');
  expect(rows.map(({ id }) => id)).toContain('scenario.bounded');
  for (const { id, ours, other, ratio } of rows) {
    expect(ours, id).toBeGreaterThan(0);
    expect(other, id).toBeGreaterThan(0);
    expect(ratio, id).toBeGreaterThan(0);
  }
});

test('an unknown row is refused with those that there are', async () => {
  const { stderr, exitCode } = await bench('--rows', 'scenario.bound');
  expect(exitCode).toBe(2);
  expect(stderr).toContain('scenario.bounded');
});
