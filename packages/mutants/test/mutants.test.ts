import { describe, expect, it } from 'vitest';
import { historical, mutants, PatchMismatch, strategyOf } from '../src/index.js';
import { compilerErrors } from './compile.js';

describe('the mutants', () => {
  it('have ids of their own, a sentence each, and are made of something', () => {
    expect(new Set(mutants.map(({ id }) => id)).size).toBe(mutants.length);
    expect(mutants.filter(({ id, base }) => !id.startsWith(`${base}/`))).toEqual([]);
    expect(mutants.filter(({ sentence, patches }) => sentence.length < 20 || patches.length === 0)).toEqual([]);
  });

  it('open at least 12 real bugs of the kernel again, by commit', () => {
    const commits = historical.map(({ commit }) => commit);
    expect(new Set(commits).size).toBe(historical.length);
    expect(commits.filter((commit) => /^[0-9a-f]{12}$/.test(commit ?? '')).length).toBeGreaterThanOrEqual(12);
  });

  it('load, and pass the compiler: what is wrong is what they say, not their types', () => {
    expect(compilerErrors(mutants)).toEqual([]);
    for (const mutant of mutants) expect(strategyOf(mutant).name).toBe(mutant.id);
  });

  it('would be told if one did not', () => {
    const mistyped = {
      ...mutants[0],
      patches: [['strategy.ts', "name: 'anon_vma', slot: 'above-ptl'", "name: 7, slot: 'above-ptl'"] as const],
    };
    expect(compilerErrors([mistyped])).toEqual([expect.stringContaining("'number' is not assignable to type 'string'")]);
  });

  it('whose patch fits no longer say so', () => {
    const stale = { ...mutants[0], patches: [['clone.ts', 'no such text', ''] as const] };
    expect(() => strategyOf(stale)).toThrow(PatchMismatch);
    const twice = { ...mutants[0], patches: [['clone.ts', 'state', ''] as const] };
    expect(() => strategyOf(twice)).toThrow(/stands \d\d times in anon-vma:clone.ts, not once/);
  });
});
