import { cases, runCase } from '@rmap-lab/conformance-suite';
import { describe, expect, it } from 'vitest';
import { mutantNamed, mutants, strategyOf } from '../src/index.js';
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
