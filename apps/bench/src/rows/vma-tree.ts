import { VmaTree } from '@rmap-lab/core/vma-tree';
import sortedBTree from 'sorted-btree';
import { structureContest } from '../contest.js';
import type { Setup } from '../row.js';
import { expect, fractions } from './lab.js';

interface Range {
  start: number;
  end: number;
}

const BASE = 0x7f0000000000;
const PAGE = 4096;
const LOOKUPS = 100_000;

/** `n` ranges of one page with holes between them, in random order. */
function ranges(n: number): Range[] {
  const all = Array.from({ length: n }, (_, i) => ({ start: BASE + i * 2 * PAGE, end: BASE + (i * 2 + 1) * PAGE }));
  let i = n;
  for (const fraction of fractions(n, 1)) {
    const at = Math.floor(fraction * i--);
    [all[i], all[at]] = [all[at], all[i]];
  }
  return all;
}

/** Addresses of which every second lies in a range. */
const addresses = (n: number): number[] =>
  Array.from(fractions(LOOKUPS, 2), (fraction) => BASE + Math.floor(fraction * 2 * n) * PAGE + 8);

function grow(all: readonly Range[]): VmaTree<Range> {
  const tree = new VmaTree<Range>();
  for (const range of all) tree.insert(range);
  return tree;
}

function growOther(all: readonly Range[]): sortedBTree.default<number, Range> {
  const tree = new sortedBTree.default<number, Range>();
  for (const range of all) tree.set(range.start, range);
  return tree;
}

/** `n` insertions in random order into an empty tree. */
export const insert: Setup = (n) => {
  const all = ranges(n);
  return () => {
    expect(grow(all).size, n, 'ranges');
    return n;
  };
};

const insertOther: Setup = (n) => {
  const all = ranges(n);
  return () => {
    expect(growOther(all).size, n, 'ranges');
    return n;
  };
};

/** Finding the range at an address, or that there is none, among `n`. */
export const lookup: Setup = (n) => {
  const tree = grow(ranges(n));
  const all = addresses(n);
  return () => {
    let found = 0;
    for (const address of all) if (tree.lookup(address) !== null) found++;
    return count(found);
  };
};

const lookupOther: Setup = (n) => {
  const tree = growOther(ranges(n));
  const all = addresses(n);
  return () => {
    let found = 0;
    for (const address of all) {
      const pair = tree.getPairOrNextLower(address);
      if (pair !== undefined && address < pair[1].end) found++;
    }
    return count(found);
  };
};

function count(found: number): number {
  if (Math.abs(found / LOOKUPS - 0.5) > 0.1) throw new RangeError(`${found} of ${LOOKUPS} addresses were found, not half`);
  return LOOKUPS;
}

const common = { as: 'time', otherName: 'sorted-btree', quickN: 1000, target: { of: 'ratio', floor: 1, aim: 2 } } as const;
const lookups = { ...common, operation: 'lookup', ours: lookup, other: lookupOther };

export const vmaTreeRows = [
  structureContest({ ...common, id: 'vma-tree.insert', operation: 'insertion', n: 100_000, ours: insert, other: insertOther }),
  structureContest({ ...lookups, id: 'vma-tree.lookup', n: 100_000 }),
  structureContest({ ...lookups, id: 'vma-tree.lookup-1000', n: 1000 }),
];
