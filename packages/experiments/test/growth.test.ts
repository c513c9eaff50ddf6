import { anonVma } from '@rmap-lab/strategy-anon-vma';
import { openWorkload } from '@rmap-lab/workloads';
import { expect, test } from 'vitest';
import { growthOf, type Measurement, measure } from '../src/index.js';

async function runs(workload: string, parameter: string, values: readonly number[], fixed = {}): Promise<Measurement[]> {
  const all: Measurement[] = [];
  for (const value of values) all.push(await measure(anonVma(), await openWorkload(workload, { ...fixed, [parameter]: value })));
  return all;
}

test('the chains of a line of forks grow with the square of its depth, a fork with the depth', async () => {
  const depths = [32, 64, 128];
  const growth = growthOf(depths, await runs('fork-chain', 'depth', depths, { vmas: 1, pages: 4 }));
  const of = (figure: string) => growth.find((one) => one.figure === figure);
  expect(of('objects of the design: peak')?.exponent).toBeGreaterThan(1.9);
  expect(of('objects of the design: peak')?.exponent).toBeLessThan(2);
  expect(of('objects of a fork')?.exponent).toBeGreaterThan(0.85);
  expect(of('objects of a fork')?.fit).toBeGreaterThan(0.99);
});

test('a wide family costs a walk as many candidates as it has members', async () => {
  const children = [8, 16, 32, 64];
  const growth = growthOf(children, await runs('fork-fan-out', 'children', children, { vmas: 2, pages: 8 }));
  const { values, exponent } = growth.find(({ figure }) => figure === 'candidates of a shared walk: largest')!;
  expect(values).toEqual([9, 17, 33, 65]);
  expect(exponent).toBeGreaterThan(0.9);
});

test('through one point goes no line', async () => {
  const growth = growthOf([2, 2], await runs('fork-chain', 'depth', [2, 2], { vmas: 1, pages: 4 }));
  for (const { exponent, fit } of growth) expect({ exponent, fit }).toEqual({ exponent: null, fit: null });
});

test('a figure that is 0 somewhere has no exponent', async () => {
  const growth = growthOf([1, 2], await runs('fork-chain', 'depth', [1, 2], { vmas: 1, pages: 4 }));
  expect(growth.find(({ figure }) => figure === 'VMAs merged')).toMatchObject({ values: [0, 0], exponent: null, fit: null });
});

test('a figure that stays the same grows with the power 0, and the line goes through all points', async () => {
  // The mean of three logarithms of 6 is not the logarithm of 6.
  const [run] = await runs('fork-chain', 'depth', [1]);
  const six = growthOf(
    [8, 16, 32],
    Array.from({ length: 3 }, () => ({ ...run, merges: 6 })),
  );
  expect(six.find(({ figure }) => figure === 'VMAs merged')).toMatchObject({ exponent: 0, fit: 1 });
});

test('what was never measured is no 0: a fork where nothing forks, a walk of a shared folio where nothing is shared', async () => {
  const growth = growthOf([1, 2], await runs('jit', 'regions', [1, 2], { pages: 16, cuts: 4 }));
  const of = (name: string) => growth.find(({ figure }) => figure === name);
  const none = { values: [null, null], exponent: null, fit: null };
  for (const name of ['locks of a fork', 'objects of a fork', 'candidates of a shared walk: largest'])
    expect(of(name)).toMatchObject(none);
  expect(of('candidates of an exclusive walk: largest')).toMatchObject({ values: [1, 1], exponent: 0 });
  expect(of('look-ups of an exclusive walk: largest')).toMatchObject({ values: [0, 0], exponent: null });
});
