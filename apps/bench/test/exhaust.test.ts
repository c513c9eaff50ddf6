import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { expect, test } from 'vitest';

const directory = fileURLToPath(new URL('..', import.meta.url));
const file = join(mkdtempSync(join(tmpdir(), 'exhaust-')), 'exhaust.jsonl');

/** Runs the built program, as `npm run explorer:exhaust` does, for two scenarios under two designs. */
const exhaust = (...args: string[]) =>
  execa({ cwd: directory, reject: false })`node dist/exhaust.js --file ${file} --seconds 60 --workers 2 ${args}`;
const some = ['--scenarios', 'write-x-referenced,fork-x-migrate', '--strategies', 'anon-vma,cow-context:poc'];

test('workers exhaust every pair once, and a second run goes on from the file', { timeout: 120_000 }, async () => {
  const { stdout, stderr } = await exhaust(...some);
  expect(stderr.split('\n')).toHaveLength(4);
  expect(stdout).toMatch(/anon-vma +│ +2 │ +2 │ +0 │ +0 │ +0 │ +0 │ +0 │/);
  expect(stdout).toMatch(/cow-context:poc +│ +2 │ +0 │ +2 │ +0 │ +0 │ +0 │ +0 │/);
  expect(stdout).toContain('cow-context:poc fork-x-migrate: breaks R17');
  const lines = readFileSync(file, 'utf8');
  expect(lines.trim().split('\n')).toHaveLength(4);
  const again = await exhaust(...some);
  expect(again.stderr).toBe('');
  expect(again.stdout).toBe(stdout);
  expect(readFileSync(file, 'utf8')).toBe(lines);
});

test('what took too long is tried again with more seconds only', { timeout: 120_000 }, async () => {
  const lines = readFileSync(file, 'utf8');
  const tired = (budget: number): string =>
    lines.replaceAll('"exhausted":true', '"exhausted":false').replaceAll('"budget":60', `"budget":${budget}`);
  writeFileSync(file, tired(60));
  expect((await exhaust(...some)).stderr).toBe('');
  writeFileSync(file, tired(6));
  const { stdout, stderr } = await exhaust(...some);
  expect(stderr.split('\n')).toHaveLength(2);
  expect(stdout).toMatch(/anon-vma +│ +2 │ +2 │/);
});

test('a last line that was torn is searched again; a line that is no result is named, and the file left as it is', async () => {
  const other = join(dirname(file), 'torn.jsonl');
  const one = () => exhaust('--file', other, '--scenarios', 'both-write', '--strategies', 'anon-vma');
  const torn = '{"scenario":"both-write","strat';
  writeFileSync(other, torn);
  expect((await one()).exitCode).toBe(0);
  const line = readFileSync(other, 'utf8');
  expect(line).toMatch(/^\{"scenario":"both-write",.*\}\n$/);
  expect((await one()).exitCode).toBe(0);
  for (const text of [`${line}my own notes`, `${line}${torn}\n${line}`, `${line}null\n`]) {
    writeFileSync(other, text);
    expect(await one()).toMatchObject({ exitCode: 2, stderr: expect.stringContaining(`${other}:2 is no result`) });
    expect(readFileSync(other, 'utf8')).toBe(text);
  }
});

test('a file that can not be used is named', async () => {
  for (const other of ['/nonexistent/x', '/dev'])
    expect(await exhaust('--file', other)).toMatchObject({
      exitCode: 2,
      stderr: expect.stringMatching(new RegExp(`^'${other}': E[A-Z]+: [a-z ]+\n\nusage: `)),
    });
});

test('an unknown scenario or strategy is refused', async () => {
  expect((await exhaust('--scenarios', 'nothing')).exitCode).toBe(2);
  expect((await exhaust('--strategies', 'nothing')).exitCode).toBe(2);
});
