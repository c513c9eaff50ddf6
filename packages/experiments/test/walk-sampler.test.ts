import type { RmapStrategy } from '@rmap-lab/core';
import { anonVma } from '@rmap-lab/strategy-anon-vma';
import { anonVmaLazy } from '@rmap-lab/strategy-anon-vma-lazy';
import { cowContext } from '@rmap-lab/strategy-cow-context';
import { openWorkload } from '@rmap-lab/workloads';
import { expect, test } from 'vitest';
import { measure, type WalkCosts } from '../src/index.js';

const walksOf = async (strategy: RmapStrategy, workload: string, parameters: Readonly<Record<string, number>>, seed = 1) =>
  (await measure(strategy, await openWorkload(workload, parameters), { seed })).walks;

/** 12 folios, two of which one process alone maps: 12 drawings from all left both out with seed 0 and 1. */
test('of few folios none is left out, whatever the seed', async () => {
  for (let seed = 0; seed < 8; seed++) {
    const { exclusive, shared } = await walksOf(anonVma(), 'fork-chain', { depth: 8, vmas: 1, pages: 4 }, seed);
    expect([seed, exclusive.sampled, shared.sampled]).toEqual([seed, 2, 10]);
  }
});

test('of many folios as many are walked as a point allows, none twice', async () => {
  const { exclusive } = await walksOf(anonVma(), 'jit', { regions: 1, pages: 300, cuts: 1 });
  expect(exclusive.sampled % 200).toBe(0);
});

/** Contexts counted as look-ups: a walk that finds its page where it was born made two. */
test('a look-up is one in mm_mt or in records, a node one of the tree of contexts or of intervals', async () => {
  const children = 16;
  const most = ({ nodes, lookups }: WalkCosts): number[] => [nodes.max, lookups.max];
  const of = async (strategy: RmapStrategy) => {
    const { exclusive, shared } = await walksOf(strategy, 'fork-fan-out', { children, vmas: 1, pages: 2 });
    return [most(exclusive), most(shared)];
  };
  expect(await of(cowContext())).toEqual([
    [1, 1],
    [children + 1, children + 1],
  ]);
  for (const [, lookups] of await of(anonVma())) expect(lookups).toBe(0);
  expect(most((await walksOf(anonVmaLazy(), 'jit', { regions: 1, pages: 4, cuts: 2 })).exclusive)).toEqual([0, 1]);
});

test('records of moved memory are looked up, too, once in a context, and then mm_mt again', async () => {
  const { exclusive } = await walksOf(cowContext(), 'realloc', {});
  expect([exclusive.nodes.max, exclusive.lookups.max]).toEqual([1, 3]);
});

/** A walk of the CoW context takes the lock of each context, one of the classic design that of the family: no figure said so. */
test('locks that a walk takes are counted', async () => {
  const children = 16;
  const [classic, lazy, context] = await Promise.all(
    [anonVma(), anonVmaLazy(), cowContext()].map((strategy) =>
      walksOf(strategy, 'fork-fan-out', { children, vmas: 1, pages: 2 }),
    ),
  );
  const entries = children + 1;
  expect(classic.shared.locks.max).toBe(entries + 1);
  // That of each context, and that of the list of children to come to the next.
  expect(context.shared.locks.max).toBe(entries + entries + children);
  expect(lazy.exclusive.locks.p50).toBe(1);
});

/** Of a page of KSM only VMAs counted that have the item's address, in the address space of the round: half of what is offered. */
test('of a page of KSM every VMA counts that a design offers, in both rounds', async () => {
  const parameters = { guests: 2, vmas: 1, pages: 2 };
  const [items, rounds] = [4, 2];
  for (const strategy of [anonVma(), anonVmaLazy(), cowContext()]) {
    const { shared } = await walksOf(strategy, 'memory-merging', parameters);
    expect([strategy.name, shared.passes.max]).toEqual([strategy.name, items * rounds]);
    expect([strategy.name, shared.candidates.max]).toEqual([strategy.name, items * rounds]);
    // The second round has no place left to find.
    expect([strategy.name, shared.needed.max]).toEqual([strategy.name, items]);
  }
});
