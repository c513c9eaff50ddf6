import type { Rmap, RmapServices, RmapStrategy } from '@rmap-lab/core';
import { anonVma } from '@rmap-lab/strategy-anon-vma';
import { anonVmaLazy } from '@rmap-lab/strategy-anon-vma-lazy';
import { cowContext } from '@rmap-lab/strategy-cow-context';
import { describe, expect, it } from 'vitest';
import { explore, kernelProgram, scenarioNamed, scenarios, UnknownScenario, type Verdict } from '../src/index.js';

const base = anonVma();
/** The classic design with something changed. */
const changed = (name: string, change: (rmap: Rmap, services: RmapServices) => void): RmapStrategy => ({
  ...base,
  name,
  create: (services) => {
    const rmap = base.create(services);
    change(rmap, services);
    return rmap;
  },
});

const bounded = (scenario: string, strategy: RmapStrategy, preemptions: number): Verdict =>
  explore(kernelProgram(scenarioNamed(scenario), { strategy }), { engine: 'bounded', preemptions });

const LONG = process.env.EXPLORER_LONG === '1';
const names = scenarios.map(({ name }) => name);

describe.each([
  ['anon-vma', base, 1],
  ['anon-vma-lazy', anonVmaLazy(), 5],
  ['cow-context', cowContext(), 5],
])('%s', (_, strategy, every) => {
  it.each(names.filter((_, i) => LONG || i % every === 0))('%s: keeps every rule with up to 2 preemptions', (name) => {
    const verdict = bounded(name, strategy, 2);
    expect(verdict.failure?.message ?? null).toBeNull();
    expect(verdict.schedules).toBeGreaterThan(1);
  });
});

describe('the published forms', () => {
  it('the proof of concept of the CoW context leaves a migration entry behind that a fork copied (R23)', () => {
    const { failure, seconds } = bounded('fork-x-migrate', cowContext('poc'), 2);
    expect(failure?.message).toContain('R23');
    expect(failure?.preemptions).toBeLessThanOrEqual(2);
    expect(seconds).toBeLessThan(2);
  });

  it('the posted form of ANON_VMA_LAZY misses a page of KSM in a grandchild', () => {
    expect(bounded('fork-child-x-ksm', anonVmaLazy('posted'), 2).failure?.rule).toBe('R17');
  });
});

describe('a strategy that is broken on purpose', () => {
  it('moves entries without the lock: the walks of a folio split miss them (R17), found with two preemptions', () => {
    const strategy = changed('unlocked-move', (rmap) => {
      rmap.move = undefined as never;
    });
    const { failure, seconds } = bounded('move-and-back-x-split', strategy, 2);
    expect(failure).toMatchObject({ rule: 'R17' });
    expect(failure?.preemptions).toBeLessThanOrEqual(2);
    expect(seconds).toBeLessThan(2);
  });

  it('changes ranges without the lock', () => {
    const strategy = changed('unlocked-adjust', (rmap) => {
      rmap.adjust = (change) => change.apply();
    });
    expect(bounded('mprotect-split-x-walk', strategy, 2).failure).not.toBeNull();
  });
});

describe('scenarios', () => {
  it('have names of their own, and others are refused', () => {
    expect(new Set(scenarios.map(({ name }) => name)).size).toBe(scenarios.length);
    expect(() => scenarioNamed('nonsense')).toThrow(UnknownScenario);
  });
});
