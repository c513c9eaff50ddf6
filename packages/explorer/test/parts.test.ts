import { anonVma } from '@rmap-lab/strategy-anon-vma';
import { describe, expect, it } from 'vitest';
import {
  bounded,
  frontier,
  kernelProgram,
  lockProgram,
  type Part,
  type Program,
  racyProgram,
  scenarioNamed,
} from '../src/index.js';

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
