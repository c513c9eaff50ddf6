import { cases, runCase } from '@rmap-lab/conformance-suite';
import { describe, expect, it } from 'vitest';
import { mutantNamed, mutants, strategyOf } from '../src/index.js';
import { killers } from './matrix.js';

it('a failure that took several machines to find has the rule and the schedule of the first', () => {
  const each = cases.find(({ id }) => id === 'concurrency/below-exit-x-migrate');
  if (each === undefined) throw new RangeError('the case is gone');
  const { broken, evidence } = runCase(each, strategyOf(mutantNamed('cow-context/freed-at-once')));
  expect(broken).toMatch(/^R31: /);
  expect(evidence.schedule).toContain('2 preemptions');
});

describe('the suite kills every mutant', () => {
  it.each(mutants.map((mutant) => [mutant.id, killers[mutant.id], mutant] as const))('%s: by %s', (_, by, mutant) => {
    const killer = cases.find(({ id }) => id === by);
    if (killer === undefined) throw new RangeError(`no case is recorded that kills it: '${by}'`);
    // Some schedules need three switches away from a thread that could have gone on.
    const { outcome, strength } = runCase(killer, strategyOf(mutant), { preemptions: 3 });
    expect({ outcome, strength: strength !== 'should' }).toEqual({ outcome: 'failed', strength: true });
  });
});
