import FlattenTree from '@flatten-js/interval-tree';
import { type IntervalNode, IntervalTree } from '@rmap-lab/strategy-anon-vma/interval-tree';
import { structureContest } from '../contest.js';
import type { Setup } from '../row.js';
import { fractions } from './lab.js';

/** An interval as an anon_vma has them: page offsets of a 47-bit address space, which do not fit 31 bits. */
class Interval implements IntervalNode<Interval> {
  subtreeLast = 0;
  height = 0;
  left: Interval | null = null;
  right: Interval | null = null;
  parent: Interval | null = null;
  constructor(
    readonly first: number,
    readonly last: number,
  ) {}
}

const BASE = 0x7f0000000;
const PAGES = 16;
/** Intervals over one page, on average: processes that share a page. */
const SHARERS = 8;
const STABS = 20_000;

/** `count` offsets in the space of `n` intervals, the same each time. */
const places = (count: number, n: number, seed: number): number[] =>
  Array.from(fractions(count, seed), (fraction) => BASE + Math.floor(fraction * n * (PAGES / SHARERS)));

const intervals = (n: number): Interval[] => places(n, n, 1).map((first) => new Interval(first, first + PAGES - 1));

function grow(all: readonly Interval[]): IntervalTree<Interval> {
  const tree = new IntervalTree<Interval>();
  for (const interval of all) tree.insert(interval);
  return tree;
}

function growFlatten(all: readonly Interval[]): FlattenTree<Interval> {
  const tree = new FlattenTree<Interval>();
  for (const interval of all) tree.insert([interval.first, interval.last], interval);
  return tree;
}

/** `n` insertions into an empty tree. */
const insert: Setup = (n) => {
  const all = intervals(n);
  return () => {
    if (grow(all).top === null) throw new RangeError('the tree is empty');
    return n;
  };
};

/** The same with `@flatten-js/interval-tree`. */
const insertFlatten: Setup = (n) => {
  const all = intervals(n);
  return () => {
    if (growFlatten(all).isEmpty()) throw new RangeError('the tree is empty');
    return n;
  };
};

/** Finding all intervals over one page, in a tree of `n`. */
const stab: Setup = (n) => {
  const tree = grow(intervals(n));
  const pages = places(STABS, n, 2);
  return () => {
    let sum = 0;
    for (const page of pages) {
      for (let at = tree.first(page, page); at !== null; at = tree.next(at, page, page)) sum += at.last;
    }
    if (sum === 0) throw new RangeError('no page had an interval over it');
    return STABS;
  };
};

/** The same with `@flatten-js/interval-tree`. */
const stabFlatten: Setup = (n) => {
  const tree = growFlatten(intervals(n));
  const pages = places(STABS, n, 2);
  return () => {
    let sum = 0;
    for (const page of pages) {
      for (const found of tree.search([page, page])) sum += found.last;
    }
    if (sum === 0) throw new RangeError('no page had an interval over it');
    return STABS;
  };
};

const common = {
  as: 'time',
  otherName: '@flatten-js/interval-tree',
  n: 10_000,
  quickN: 500,
  target: { of: 'ratio', floor: 1, aim: 2 },
} as const;

export const intervalTreeRows = [
  structureContest({ ...common, id: 'interval-tree.stab', operation: 'stab', ours: stab, other: stabFlatten }),
  structureContest({ ...common, id: 'interval-tree.insert', operation: 'insertion', ours: insert, other: insertFlatten }),
];
