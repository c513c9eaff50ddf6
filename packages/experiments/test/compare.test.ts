import { type RmapStrategy, StrategyLoadError } from '@rmap-lab/core';
import { loadStrategy } from '@rmap-lab/core/load-strategy';
import { anonVma } from '@rmap-lab/strategy-anon-vma';
import { cowContext } from '@rmap-lab/strategy-cow-context';
import { openWorkload, partialUnmap, placeRecords } from '@rmap-lab/workloads';
import { describe, expect, test } from 'vitest';
import { compare, designCaches, designUse, distribution, measure } from '../src/index.js';

const chain = (depth: number) => () => openWorkload('fork-chain', { depth, vmas: 2, pages: 16 });

/** The classic strategy, spoilt: the walk shows only the first of its candidates. */
function nearSighted(): RmapStrategy {
  const classic = anonVma();
  return {
    ...classic,
    name: 'near-sighted',
    create(services) {
      const rmap = classic.create(services);
      const walk = rmap.walk.bind(rmap);
      rmap.walk = (hold, query, visitor) =>
        walk(hold, query, {
          get found() {
            return visitor.found;
          },
          *visit(vma, address) {
            const more = visitor.visit(vma, address);
            if (typeof more !== 'boolean') yield* more;
            return false;
          },
          restart: () => visitor.restart(),
        });
      return rmap;
    },
  };
}

describe('a comparison', () => {
  test('has a row for each contender, in their order, from the same workload', async () => {
    const { schema, workload, rows } = await compare({
      workload: chain(3),
      contenders: [{ strategy: anonVma() }, { strategy: anonVma(), preset: 'again' }],
    });
    expect({ schema, workload }).toEqual({ schema: 'rmap-lab/compare@1', workload: 'fork-chain' });
    expect(rows.map(({ strategy, preset }) => [strategy, preset])).toEqual([
      ['anon-vma', null],
      ['anon-vma', 'again'],
    ]);
    const [a, b] = rows.map((row) => ({ ...row, preset: null, seconds: 0 }));
    expect(a).toEqual(b);
  });

  test('that is interrupted says who stopped, and whose turn had not come', async () => {
    const interrupt = new AbortController();
    const workload = async () => {
      const { records, ...rest } = await chain(3)();
      const until = async function* () {
        let n = 0;
        for await (const placed of records) {
          if (++n === 9) interrupt.abort();
          yield placed;
        }
      };
      return { ...rest, records: until() };
    };
    const elsewhere = { name: './mine.mjs', measure: () => Promise.reject(new Error('never')) };
    const contenders = [{ strategy: anonVma() }, { strategy: anonVma(), preset: 'again' }, elsewhere];
    const { partial, notRun, rows } = await compare({ workload, contenders, signal: interrupt.signal });
    expect({ partial, notRun }).toEqual({ partial: true, notRun: ['anon-vma:again', './mine.mjs'] });
    expect(rows.map(({ stopped }) => stopped)).toEqual([true]);
  });

  test('counts what a chain of forks is known to cost', async () => {
    for (const depth of [2, 5, 9]) {
      const [row] = (await compare({ workload: chain(depth), contenders: [{ strategy: anonVma() }] })).rows;
      expect(row.slab.anon_vma_chain.peak).toBe(2 * (((depth + 1) * (depth + 2)) / 2));
      expect(row.fork.operations).toBe(depth);
      expect(row.fork.allocations.anon_vma).toBe(2 * depth);
      expect(row.processes).toEqual({ total: depth + 1, peak: depth + 1 });
      expect(row.marks.map(({ mark, processes }) => [mark, processes])).toEqual([
        ['forked', depth + 1],
        ['exited', 0],
      ]);
      expect(row.verify).toMatchObject({ missed: 0, wrong: 0 });
      expect(row.walks.shared.mappings.max).toBe(depth + 1);
    }
  });

  test('says where a walk would end that stops at the last mapping: at as many VMAs in a chain of forks, whatever the design', async () => {
    // Each page is written again by one descendant or another, so five processes at most map the same one.
    const workload = () => openWorkload('fork-chain', { depth: 16, vmas: 1, pages: 4 });
    const { rows } = await compare({ workload, contenders: [{ strategy: anonVma() }, { strategy: cowContext() }] });
    const [classic, context] = rows.map(({ walks }) => walks.shared);
    expect([classic.candidates.max, context.candidates.max]).toEqual([17, 4]);
    expect(classic.needed).toEqual(classic.mappings);
    expect(context.needed).toEqual(classic.needed);
  });

  test('calls a large folio exclusive that one process maps by hundreds of entries', async () => {
    const alone = [...partialUnmap({ folios: 1, holes: 1, children: 1 })].filter(
      (record) => !('process' in record && record.process === 1),
    );
    const { walks } = await measure(anonVma(), { name: 'alone', kind: 'generated', records: placeRecords(alone) });
    expect(walks.shared.sampled).toBe(0);
    expect(walks.exclusive.mappings.max).toBe(512 - 16);
  });

  test('knows what a design took at once, which is less than what its caches took at different times', async () => {
    const row = await measure(cowContext(), await openWorkload('realloc'));
    const caches = designCaches(row).map((name) => row.slab[name]);
    expect(row.own.bytes).toBeLessThan(caches.reduce((sum, { peak, objectBytes }) => sum + peak * objectBytes, 0));
    for (const [i] of row.marks.entries()) {
      const { objects, bytes, added } = designUse(row, i);
      expect(row.own.objects).toBeGreaterThanOrEqual(objects);
      expect(row.own.bytes).toBeGreaterThanOrEqual(bytes);
      expect(row.own.together.bytes).toBeGreaterThanOrEqual(bytes + added);
    }
    const { live, added, bytes } = row.own.together;
    const taken = Object.entries(live).reduce((sum, [name, n]) => sum + n * row.slab[name].objectBytes, 0);
    expect(taken + added.vma + added.mm + added.folio).toBe(bytes);
  });

  test('counts a folio as rewritten that its last user takes over at a write, under every design', async () => {
    // Each child writes one page that only its parent, gone by then, had before (folio_move_anon_rmap).
    const workload = () => openWorkload('daemonise', { generations: 3, vmas: 1, pages: 4 });
    const { rows } = await compare({ workload, contenders: [{ strategy: anonVma() }, { strategy: cowContext() }] });
    expect(rows.map(({ counts }) => counts['folio-rewritten'])).toEqual([3, 3]);
  });

  test('shows a strategy that misses mappings as failing, with the first witness, and goes on with the next', async () => {
    const { rows } = await compare({ workload: chain(3), contenders: [{ strategy: nearSighted() }, { strategy: anonVma() }] });
    expect(rows[0].failure).toMatch(/R17: the walk of folio \d+/);
    expect(rows[0].verify.missed).toBeGreaterThan(0);
    expect(rows[1].failure).toBeNull();
  });

  test('shows a strategy that throws as failing', async () => {
    const classic = anonVma();
    const throwing: RmapStrategy = {
      ...classic,
      create: (services) =>
        Object.assign(classic.create(services), {
          fork: () => {
            throw new Error('no fork today');
          },
        }),
    };
    const row = await measure(throwing, await chain(2)());
    expect(row.failure).toBe('no fork today');
    expect(row.fork.operations).toBe(0);
  });

  test('says so when it was stopped', async () => {
    const stop = new AbortController();
    stop.abort();
    expect(await measure(anonVma(), await chain(2)(), { signal: stop.signal })).toMatchObject({ stopped: true, operations: 0 });
    expect((await compare({ workload: chain(2), contenders: [{ strategy: anonVma() }], signal: stop.signal })).rows).toEqual([]);
  });
});

test('a distribution is median, 99th percentile, largest and sum', () => {
  expect(distribution([])).toEqual({ p50: 0, p99: 0, max: 0, total: 0 });
  expect(distribution(Array.from({ length: 200 }, (_, i) => 200 - i))).toEqual({ p50: 100, p99: 198, max: 200, total: 20100 });
});

describe('a strategy is loaded', () => {
  test('by short name, and by package name', async () => {
    const short = await loadStrategy('classic', { classic: import.meta.resolve('@rmap-lab/strategy-anon-vma') });
    expect(short).toMatchObject({ strategy: { name: 'anon-vma' }, preset: null });
  });

  test.each([
    ['nothing', /nothing that can be loaded/],
    ['classic:fancy', /without the preset 'fancy', expected 'classic' alone, as it has no presets/],
  ])('or an error names it: %s', async (name, message) => {
    const loading = loadStrategy(name, { classic: import.meta.resolve('@rmap-lab/strategy-anon-vma') });
    await expect(loading).rejects.toThrow(StrategyLoadError);
    await expect(loading).rejects.toThrow(message);
  });
});

test('says which record was the first that a machine could not do: it may be too much for Linux, whatever the design', async () => {
  const { records, ...rest } = await chain(1)();
  const beyond = async function* () {
    for await (const placed of records)
      yield placed.record.type === 'touch' ? { ...placed, record: { ...placed.record, first: 1 } } : placed;
  };
  const { failure } = await measure(anonVma(), { ...rest, records: beyond() });
  expect(failure).toMatch(/^0 answers differ .* touches were refused; the first: record 4: /);
});
