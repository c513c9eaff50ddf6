import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { cases } from '../src/index.js';

const require = createRequire(import.meta.url);
/** The file of a package that its command runs. */
const binary = (manifest: string, file: string): string => manifest.replace('package.json', file);

/** How each runner is started on one file of its fixture, and how it shows a case that it skips. */
const runners: readonly (readonly [name: string, args: (file: string) => readonly string[], skipped: RegExp])[] = [
  [
    'vitest',
    (file) => [binary(require.resolve('vitest/package.json'), 'vitest.mjs'), 'run', '--reporter=verbose', file],
    /↓ .*> R30 concurrency\/weaker-memory: .*\(unverified: /,
  ],
  ['node-test', (file) => ['--test', '--test-reporter=tap', file], /R30 concurrency\/weaker-memory: .*\(unverified: .* # SKIP/],
  [
    'mocha',
    (file) => [binary(require.resolve('mocha/package.json'), 'bin/mocha.js'), file],
    / - R30 concurrency\/weaker-memory: .*\(unverified: /,
  ],
  [
    'jest',
    (file) => [
      '--experimental-vm-modules',
      binary(require.resolve('jest/package.json'), 'bin/jest.js'),
      '--rootDir=.',
      '--verbose',
      file,
    ],
    /○ skipped R30 concurrency\/weaker-memory: .*\(unverified: /,
  ],
];

describe.each(runners)('the adapter for %s, in a project of that runner', (runner, args, skipped) => {
  const start = (file: string) => {
    const { NODE_OPTIONS: _, VITEST: __, NODE_TEST_CONTEXT: ___, ...env } = process.env;
    const cwd = fileURLToPath(new URL(`fixtures/${runner}/`, import.meta.url));
    const { status, stdout, stderr } = spawnSync(process.execPath, args(file), {
      cwd,
      env: { ...env, NO_COLOR: '1' },
      encoding: 'utf8',
    });
    return { status, output: `${stdout}\n${stderr}` };
  };

  it('runs one test for each case, named by rule and case, and skips what nothing can verify: that is not passed', () => {
    const { status, output } = start('right.test.mjs');
    for (const { rule, id, level } of cases)
      if (level === 'families' || level === 'scale') expect(output).toContain(`${rule} ${id}: `);
    expect(output).toMatch(skipped);
    expect(status, output).toBe(0);
  });

  it('fails for a strategy that is wrong, and shows the rule, the program and the address spaces', () => {
    const { status, output } = start('wrong.test.mjs');
    expect(status, output).not.toBe(0);
    for (const text of ['R17: With nothing else going on', "op: 'fork'", 'address spaces after:', 'mappings:'])
      expect(output).toContain(text);
  });
});
