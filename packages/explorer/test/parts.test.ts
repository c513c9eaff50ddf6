import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { anonVma } from '@rmap-lab/strategy-anon-vma';
import { afterAll, describe, expect, it } from 'vitest';
import {
  BadProgress,
  bounded,
  exploreParallel,
  frontier,
  kernelProgram,
  lockProgram,
  type Part,
  type Program,
  racyProgram,
  scenarioNamed,
} from '../src/index.js';
import { Progress } from '../src/parallel/progress.js';

const sum = (program: Program, bound: number, parts: readonly Part[]) => {
  const traces: string[] = [];
  let cut = false;
  for (const part of parts) {
    if (!('prefix' in part)) throw new Error('a part without a beginning');
    const search = bounded(program, bound, { prefix: part.prefix, onTrace: (history) => traces.push(history.key()) });
    cut ||= search.cut;
  }
  return { traces: traces.sort(), cut };
};

describe('the beginnings of a bounded search', () => {
  it.each<[string, Program, number]>([
    ['racing words', racyProgram(2, 1), 2],
    ['locks', lockProgram(2), 1],
    ['locks, all schedules', lockProgram(1), 9],
    ['a scenario', kernelProgram(scenarioNamed('fork-x-migrate'), { strategy: anonVma() }), 1],
  ])('have every schedule just once between them: %s', (_, program, bound) => {
    const traces: string[] = [];
    const whole = bounded(program, bound, { onTrace: (history) => traces.push(history.key()) });
    for (const count of [1, 7, 40]) {
      const { parts, cut } = frontier(program, bound, count);
      const together = sum(program, bound, parts);
      expect(together.traces).toEqual([...traces].sort());
      expect(cut || together.cut).toBe(whole.cut);
    }
  });
});

describe('a search in workers', () => {
  it.each([{ workers: 0 }, { workers: 1.5 }, { schedules: 0 }])('of nothing is refused: %j', async (options) => {
    const job = { scenario: 'both-write', strategy: 'anon-vma', engine: 'pct', preemptions: 0 } as const;
    await expect(exploreParallel(job, options)).rejects.toThrow(/^(workers|schedules) must be 1 or more, not /);
  });
});

describe('a file of progress', () => {
  const scratch = mkdtempSync(join(tmpdir(), 'explore-progress-'));
  afterAll(() => rmSync(scratch, { recursive: true }));
  const file = join(scratch, 'progress.jsonl');
  const search = {
    scenario: 'both-write',
    strategy: 'anon-vma',
    engine: 'bounded',
    preemptions: 0,
    seed: 1,
    schedules: 1,
    code: 'c0de',
  } as const;
  const part: Part = { bound: 0, prefix: [] };
  const result = { schedules: 2, steps: 3, length: 0, cut: false, failure: null };
  const head = `${JSON.stringify({ schema: 'rmap-lab/explore-progress@1', ...search })}\n`;
  const line = `${JSON.stringify({ part: 'bound 0 ', result })}\n`;
  const reopen = (text: string): Progress => {
    writeFileSync(file, text);
    return new Progress(search, file);
  };

  it.each(['', head.slice(0, 30), head.trim(), head, `${head}${line.slice(0, 20)}`])('goes on from what was torn: %j', (text) => {
    const progress = reopen(text);
    expect(progress.of(part)).toBeUndefined();
    progress.add(part, result);
    progress.close();
    expect(readFileSync(file, 'utf8')).toBe(head + line);
    const again = new Progress(search, file);
    expect(again.of(part)).toEqual(result);
    again.close();
  });

  it('knows of a part that a bound did not cut what more preemptions find', () => {
    const cut = { ...result, cut: true };
    const named = (prefix: string, of: object): string => `${JSON.stringify({ part: `bound 1 ${prefix}`, result: of })}\n`;
    const progress = reopen(head + named('0', result) + named('1', cut));
    progress.close();
    const found = (bound: number, prefix: readonly number[]) => progress.of({ bound, prefix });
    expect([found(1, [0]), found(2, [0]), found(9, [0])]).toEqual([result, result, result]);
    expect([found(1, [1]), found(2, [1]), found(0, [0]), found(2, [])]).toEqual([cut, undefined, undefined, undefined]);
  });

  it.each([
    '{"my":"results"}',
    'line one\nline two',
    '\n',
    head.replace('both-write', 'fork-x-walk'),
    head.replace('c0de', 'c0ffee'),
    `${head}${head.replace('c0de', 'c0ffee')}`,
    `${head}no result\n${line.slice(0, 20)}`,
  ])('that is none, or is damaged, is refused and left as it is: %j', (text) => {
    expect(() => reopen(text)).toThrow(BadProgress);
    expect(readFileSync(file, 'utf8')).toBe(text);
  });
});
