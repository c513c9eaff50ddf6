import { type KernelOptions, type Operation, programToCode } from '@rmap-lab/core';
import { programs } from '@rmap-lab/strategy-tests';
import fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import { compareHistories, type End, type Teller } from './support/one-history.js';
import { classic, context, lazy } from './support/tellers.js';

const RUNS = Number(process.env.RMAP_LAB_RUNS ?? 60);
// Many runs take many minutes.
vi.setConfig({ testTimeout: 1_800_000 });

const MODES: readonly (readonly [name: string, options: Partial<KernelOptions>])[] = [
  ['', {}],
  [' with private file pages keyed by an offset of their own', { anonOffset: 'own' }],
  [' with folios of 4 pages', { thp: { orders: { 2: 'always' } } }],
];

/** How often each strategy's history ended early, and why. */
function endsOf(
  tellers: readonly Teller[],
  options: Partial<KernelOptions>,
  change: (p: readonly Operation[]) => readonly Operation[],
) {
  const ends: Record<string, Partial<Record<End, number>>> = {};
  fc.assert(
    fc.property(programs(50), (program) => {
      for (const [name, [end]] of compareHistories(tellers, change(program), options)) {
        ends[name] ??= {};
        ends[name][end] = (ends[name][end] ?? 0) + 1;
      }
    }),
    {
      numRuns: RUNS,
      reporter: ({ failed, seed, counterexample, errorInstance }) => {
        if (!failed) return;
        const [program] = counterexample as [readonly Operation[]];
        throw new Error(`seed ${seed}\n${programToCode(change(program))}\n${String(errorInstance)}`);
      },
    },
  );
  return ends;
}

/** Of histories that ended before their programs, those that did so for another reason than these. */
const others = (ends: Partial<Record<End, number>> = {}, ...reasons: End[]): number =>
  Object.entries(ends).reduce((sum, [end, n]) => (reasons.includes(end as End) ? sum : sum + n), 0);

test.each(MODES)('all strategies tell the same history of random programs%s', (_, options) => {
  const tellers = [classic, lazy('intended'), lazy('stated'), lazy('posted'), context('reference')];
  const ends = endsOf(tellers, options, (program) => program);
  for (const { name, mayMiss } of tellers) {
    const byDesign: End[] = mayMiss ? ['missed', 'held up by a zombie'] : [];
    expect([name, others(ends[name], 'other VMAs led elsewhere', ...byDesign)]).toEqual([name, 0]);
    expect(ends[name]?.['other VMAs led elsewhere'] ?? 0, name).toBeLessThan(RUNS / 5);
  }
});

test.each(MODES)('the proof of concept does so, without KSM, until it misses a mapping%s', (_, options) => {
  const ends = endsOf([classic, context('poc')], options, (program) => program.filter(({ op }) => !op.startsWith('ksm')));
  expect(others(ends['cow-context:poc'], 'missed', 'other VMAs led elsewhere')).toBe(0);
});
