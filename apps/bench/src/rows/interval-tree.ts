import FlattenTree from '@flatten-js/interval-tree';
import { type IntervalNode, IntervalTree } from '@rmap-lab/strategy-anon-vma/interval-tree';

/** Prepares a measurement at size `n`; the result runs it once and says how many operations that were. */
type Setup = (n: number) => () => number;

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
const STABS = 1000;

/** `count` offsets in the space of `n` intervals, the same each time: a linear congruence. */
function* places(count: number, n: number, seed: number): Generator<number> {
  for (let i = 0, state = seed; i < count; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    yield BASE + Math.floor((state / 2 ** 32) * n * (PAGES / SHARERS));
  }
}

const intervals = (n: number): Interval[] => Array.from(places(n, n, 1), (first) => new Interval(first, first + PAGES - 1));

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
export const insert: Setup = (n) => {
  const all = intervals(n);
  return () => {
    grow(all);
    return n;
  };
};

/** The same with `@flatten-js/interval-tree`. */
export const insertFlatten: Setup = (n) => {
  const all = intervals(n);
  return () => {
    growFlatten(all);
    return n;
  };
};

/** Finding all intervals over one page, in a tree of `n`. */
export const stab: Setup = (n) => {
  const tree = grow(intervals(n));
  const pages = [...places(STABS, n, 2)];
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
export const stabFlatten: Setup = (n) => {
  const tree = growFlatten(intervals(n));
  const pages = [...places(STABS, n, 2)];
  return () => {
    let sum = 0;
    for (const page of pages) {
      for (const found of tree.search([page, page])) sum += found.last;
    }
    if (sum === 0) throw new RangeError('no page had an interval over it');
    return STABS;
  };
};
