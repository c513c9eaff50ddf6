import type { RmapStrategy } from '@rmap-lab/core';
import { type Comparison, compare } from '@rmap-lab/experiments';
import { anonVma } from '@rmap-lab/strategy-anon-vma';
import { cowContext } from '@rmap-lab/strategy-cow-context';
import { openWorkload, placeRecords, type Workload } from '@rmap-lab/workloads';
import { expect, test } from 'vitest';
import { compareCsv, compareMarkdown } from '../src/compare-report.js';

const of = (workload: string, strategies: readonly RmapStrategy[], parameters = {}): Promise<Comparison> =>
  compare({ workload: () => openWorkload(workload, parameters), contenders: strategies.map((strategy) => ({ strategy })) });

/** The values of a line of the table. */
function valuesIn(comparison: Comparison, section: string, figure: string): string[] | undefined {
  const lines = compareMarkdown(comparison).split('\n');
  const from = lines.findIndex((line) => line.startsWith(`| **${section}`));
  const line = lines.slice(from + 1).find((each) => each.startsWith(`| ${figure} |`));
  return from < 0
    ? undefined
    : line
        ?.split(' | ')
        .slice(1, 1 + comparison.rows.length)
        .map((text) => text.replace(/ \|$/, ''));
}

/** The classic design, that ends at its first fork. */
const throwing: RmapStrategy = {
  ...anonVma(),
  name: 'throwing',
  create: (services) =>
    Object.assign(anonVma().create(services), {
      fork: () => {
        throw new Error('no fork today');
      },
    }),
};

test.each([
  ['first', [throwing, anonVma()], ['-', '45']],
  ['last', [anonVma(), throwing], ['45', '-']],
] as const)('a design that ends before a mark takes none from the others: it comes %s', async (_, strategies, values) => {
  const comparison = await of('fork-chain', strategies, { depth: 8, vmas: 1, pages: 4 });
  expect(valuesIn(comparison, "Memory at 'forked', 9 processes", 'anon_vma_chain: live objects')).toEqual(values);
});

test('where nothing is shared, and nothing forks, there is no 0 for the walk or the fork', async () => {
  const comparison = await of('jit', [anonVma(), cowContext()], { regions: 1, pages: 4, cuts: 2 });
  expect(valuesIn(comparison, 'Walks of shared folios', 'folios walked')).toEqual(['0', '0']);
  expect(valuesIn(comparison, 'Walks of shared folios', 'candidates')).toEqual(['-', '-']);
  expect(valuesIn(comparison, 'Walks of exclusive folios', 'candidates')).toEqual(['1 / 1 / 1', '1 / 1 / 1']);
  expect(compareMarkdown(comparison)).not.toContain('Cost of one fork');
});

test('what is small is not rounded to nothing', async () => {
  const comparison = await of('realloc', [cowContext()]);
  expect(valuesIn(comparison, 'Memory: at the peak', 'cow_remap_deltas: KiB')).toEqual(['0.03 / 0']);
});

test('numbers in comma-separated values have no commas', async () => {
  const comparison = await of('jit', [anonVma()]);
  expect(valuesIn(comparison, 'Memory: at the peak', 'anon_vma_chain: objects')).toEqual(['1,024 / 0']);
  expect(compareCsv(comparison)).toMatch(/^Memory: at the peak \/ at the end,anon_vma_chain: objects,1024 \/ 0$/m);
});

test('a workload that maps no page gives no verdict', async () => {
  const nothing = async (): Promise<Workload> => {
    const { records, ...rest } = await openWorkload('fork-chain', { depth: 1 });
    const kept = [];
    for await (const { record } of records) if (record.type !== 'touch') kept.push(record);
    return { ...rest, records: placeRecords(kept) };
  };
  const comparison = await compare({ workload: nothing, contenders: [{ strategy: anonVma() }] });
  expect(comparison.rows[0]).toMatchObject({ failure: null, verify: { mappings: 0 } });
  expect(valuesIn(comparison, 'Verification', 'verdict')).toEqual(['nothing to find']);
});

test('comma-separated values say what is below the table: the witness, and what the trace lacks', async () => {
  const { rows, ...rest } = await of('fork-chain', [throwing, anonVma()], { depth: 2 });
  const csv = compareCsv({ ...rest, rows: rows.map((row) => ({ ...row, leftOut: 'reads, and writes' })) });
  expect(csv).toMatch(/^Verification,first witness,no fork today,$/m);
  expect(csv).toMatch(/^Verification,not in the trace,"reads, and writes","reads, and writes"$/m);
  expect(compareCsv({ ...rest, rows: [rows[1]] })).not.toMatch(/witness|trace/);
});
