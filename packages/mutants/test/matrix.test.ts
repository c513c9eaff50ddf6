import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { cases, runCase } from '@rmap-lab/conformance-suite';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { mutantNamed, mutants, strategyOf } from '../src/index.js';
import { MatrixProcess } from '../src/matrix-process.js';
import { killers, matrix, mustCases } from './matrix.js';

/** Pairs that are run again here. */
const SAMPLE = 15;

describe('what `npm run -s mutants` found', () => {
  it('names cases and mutants that there are', () => {
    const named = [...Object.keys(matrix.kills), ...Object.values(killers), ...Object.values(matrix.stuck).flat()];
    expect(named.filter((id) => !cases.some((each) => each.id === id))).toEqual([]);
    const ids = [
      ...Object.values(matrix.kills),
      matrix.surviving,
      Object.keys(matrix.stuck),
      ...Object.values(matrix.missing),
    ].flat();
    expect(ids.filter((id) => !mutants.some((mutant) => mutant.id === id))).toEqual([]);
  });

  it('has a mutant for every must-case', () => {
    const { all, killing } = mustCases();
    expect(all.filter((id) => !killing.includes(id))).toEqual([]);
  });

  const pairs = Object.entries(matrix.kills).flatMap(([id, killed]) => killed.map((mutant) => [id, mutant] as const));
  const every = Math.floor(pairs.length / SAMPLE);
  it.each(pairs.filter((_, i) => i % every === every - 1))('holds: %s kills %s', (id, mutant) => {
    const found = cases.filter((each) => each.id === id);
    expect(found.map((each) => runCase(each, strategyOf(mutantNamed(mutant))).outcome)).toEqual(['failed']);
  });
});

const scratch = mkdtempSync(join(tmpdir(), 'mutants-'));
afterAll(() => rmSync(scratch, { recursive: true }));

describe('a process that runs cases', () => {
  const isAlive = (id: number): boolean => {
    try {
      return process.kill(id, 0);
    } catch {
      return false;
    }
  };

  it('is replaced when it ended between two runs', async () => {
    const worker = join(scratch, 'worker.mjs');
    // Its answers have its number in the place of their time; after one task it ends.
    writeFileSync(
      worker,
      `import { once } from 'node:events';
const [text] = await once(process.stdin, 'data');
for (const _ of JSON.parse(text).ids) console.log(JSON.stringify(['passed', process.pid]));
process.exit();
`,
    );
    // That long can no timer wait.
    const runner = new MatrixProcess(2 ** 31 / 1000, pathToFileURL(worker));
    const run = async (): Promise<number> => {
      const answers = await runner.run({ mutant: '', ids: ['one', 'two'] });
      expect(answers).toHaveLength(2);
      return answers[0][1];
    };
    const first = await run();
    await vi.waitUntil(() => !isAlive(first), { timeout: 10_000 });
    expect(await run()).not.toBe(first);
    runner.stop();
  });
});

describe('the file of a campaign', () => {
  const file = join(scratch, 'mutants.jsonl');
  const program = fileURLToPath(new URL('../dist/matrix.js', import.meta.url));
  const run = (...args: string[]) => spawnSync(process.execPath, [program, '--file', file, ...args], { encoding: 'utf8' });
  const [{ id: mutant }] = mutants;
  const row = `${JSON.stringify({ mutant, part: 'alone', kills: [], stuck: [], firstKill: null, seconds: 1 })}\n`;
  const torn = row.slice(0, 30);

  it('may end in a line that was torn: a report leaves it there, a run goes on without it', () => {
    writeFileSync(file, row + torn);
    expect(run('--report').status).toBe(0);
    expect(readFileSync(file, 'utf8')).toBe(row + torn);
    expect(run('--grep', 'no mutant at all').status).toBe(0);
    expect(readFileSync(file, 'utf8')).toBe(row);
  });

  it.each([
    ['my own notes', 1],
    [`${row}${torn}\n${row}`, 2],
    [`${row}null\n`, 2],
  ])('is left as it is when a line is no row, and the line is named: %j', (text, line) => {
    writeFileSync(file, text);
    expect(run('--grep', 'no mutant at all')).toMatchObject({
      status: 2,
      stderr: expect.stringContaining(`${file}:${line} is no row`),
    });
    expect(readFileSync(file, 'utf8')).toBe(text);
  });
});
