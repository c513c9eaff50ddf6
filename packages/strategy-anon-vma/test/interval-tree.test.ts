import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type IntervalNode, IntervalTree } from '../src/interval-tree.js';

let made = 0;

class Interval implements IntervalNode<Interval> {
  readonly serial = made++;
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

/** What the tree is to be: a list in order of `first`, a new interval behind its equals. */
class Model {
  readonly intervals: Interval[] = [];
  insert(interval: Interval): void {
    const behind = this.intervals.findIndex(({ first }) => first > interval.first);
    this.intervals.splice(behind < 0 ? this.intervals.length : behind, 0, interval);
  }
  remove(interval: Interval): void {
    this.intervals.splice(this.intervals.indexOf(interval), 1);
  }
  overlapping(first: number, last: number): Interval[] {
    return this.intervals.filter((interval) => interval.first <= last && interval.last >= first);
  }
}

const serials = (intervals: readonly Interval[]): number[] => intervals.map(({ serial }) => serial);

function overlapping(tree: IntervalTree<Interval>, first: number, last: number): Interval[] {
  const found: Interval[] = [];
  for (let at = tree.first(first, last); at !== null; at = tree.next(at, first, last)) found.push(at);
  return found;
}

/** Checks links, balance and augmentation below `node`; returns its height. */
function validate(node: Interval | null, parent: Interval | null): number {
  if (node === null) return 0;
  expect(node.parent).toBe(parent);
  const left = validate(node.left, node);
  const right = validate(node.right, node);
  expect(Math.abs(left - right)).toBeLessThanOrEqual(1);
  expect(node.height).toBe(1 + Math.max(left, right));
  expect(node.subtreeLast).toBe(Math.max(node.last, node.left?.subtreeLast ?? -1, node.right?.subtreeLast ?? -1));
  return node.height;
}

interface Pair {
  readonly tree: IntervalTree<Interval>;
}

class Insert implements fc.Command<Model, Pair> {
  constructor(
    readonly at: number,
    readonly pages: number,
  ) {}
  check = (): boolean => true;
  run(model: Model, { tree }: Pair): void {
    const interval = new Interval(this.at, this.at + this.pages - 1);
    model.insert(interval);
    tree.insert(interval);
    validate(tree.top, null);
  }
  toString = (): string => `insert ${this.at}+${this.pages}`;
}

class Remove implements fc.Command<Model, Pair> {
  constructor(readonly pick: number) {}
  check = ({ intervals }: Readonly<Model>): boolean => intervals.length > 0;
  run(model: Model, { tree }: Pair): void {
    const interval = model.intervals[this.pick % model.intervals.length];
    model.remove(interval);
    tree.remove(interval);
    validate(tree.top, null);
  }
  toString = (): string => `remove ${this.pick}`;
}

class Stab implements fc.Command<Model, Pair> {
  constructor(
    readonly first: number,
    readonly pages: number,
  ) {}
  check = (): boolean => true;
  run(model: Model, { tree }: Pair): void {
    const last = this.first + this.pages - 1;
    expect(serials(overlapping(tree, this.first, last))).toEqual(serials(model.overlapping(this.first, last)));
    expect(serials(overlapping(tree, 0, Infinity))).toEqual(serials(model.intervals));
  }
  toString = (): string => `stab ${this.first}+${this.pages}`;
}

const at = fc.nat(30);
const pages = fc.integer({ min: 1, max: 12 });
const insert = fc.tuple(at, pages).map(([first, n]) => new Insert(first, n));
const remove = fc.nat(1000).map((pick) => new Remove(pick));
const stab = fc.tuple(at, pages).map(([first, n]) => new Stab(first, n));
const commands = fc.commands([insert, insert, insert, remove, remove, stab], { maxCommands: 100, size: 'max' });

describe('an interval tree', () => {
  it('finds the same intervals in the same order as a sorted list, whatever came and went', () => {
    fc.assert(
      fc.property(commands, (list) =>
        fc.modelRun(() => ({ model: new Model(), real: { tree: new IntervalTree<Interval>() } }), list),
      ),
      { numRuns: 200 },
    );
  });

  it('keeps intervals of equal start in the order of their insertion through all rotations', () => {
    const tree = new IntervalTree<Interval>();
    const all = Array.from({ length: 1000 }, (_, i) => new Interval(5, 5 + (i % 7)));
    for (const interval of all) tree.insert(interval);
    validate(tree.top, null);
    expect(serials(overlapping(tree, 5, 5))).toEqual(serials(all));
    for (const interval of all.filter((_, i) => i % 3 !== 0)) tree.remove(interval);
    validate(tree.top, null);
    expect(serials(overlapping(tree, 5, 5))).toEqual(serials(all.filter((_, i) => i % 3 === 0)));
  });

  it('stays shallow when intervals come in ascending order, as a heap grows', () => {
    const tree = new IntervalTree<Interval>();
    for (let i = 0; i < 100_000; i++) tree.insert(new Interval(i, i));
    expect(tree.top?.height).toBeLessThanOrEqual(1.45 * Math.log2(100_000));
  });

  it('looks at few nodes to find few intervals among many', () => {
    const tree = new IntervalTree<Interval>();
    for (let i = 0; i < 100_000; i++) tree.insert(new Interval(i * 4, i * 4 + 3));
    tree.visited = 0;
    expect(overlapping(tree, 200_001, 200_009)).toHaveLength(3);
    expect(tree.visited).toBeLessThan(60);
    expect(tree.visited).toBeGreaterThan(10);
  });

  it('holds nothing after its last interval was removed', () => {
    const tree = new IntervalTree<Interval>();
    const all = [3, 1, 2].map((first) => new Interval(first, 9));
    for (const interval of all) tree.insert(interval);
    for (const interval of all) tree.remove(interval);
    expect(tree.top).toBeNull();
    expect(tree.first(0, 100)).toBeNull();
  });
});
