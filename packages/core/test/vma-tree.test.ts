import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Address } from '../src/units.js';
import { VmaTree } from '../src/vma/vma-tree.js';

interface Range {
  start: number;
  end: number;
}

/** Slots of a small address space; each holds at most one range, so that ranges collide and neighbours meet. */
const SLOTS = 600;
const SLOT = 16;

/** Puts a range in a slot, takes it out, or gives it other bounds, as the slot's state allows. */
const changes = fc.array(
  fc.record({
    slot: fc.nat(SLOTS - 1),
    from: fc.nat(SLOT - 1),
    length: fc.integer({ min: 1, max: SLOT }),
    remove: fc.boolean(),
  }),
  { minLength: 1, maxLength: 1500, size: 'max' },
);

const highest = (all: readonly Range[], length: number, low: number, high: number): number | null => {
  for (let at = high - length; at >= low; at--) if (!all.some((r) => r.start < at + length && at < r.end)) return at;
  return null;
};

const lowest = (all: readonly Range[], length: number, low: number, high: number): number | null => {
  for (let at = low; at + length <= high; at++) if (!all.some((r) => r.start < at + length && at < r.end)) return at;
  return null;
};

test('a tree answers as a sorted list does, whatever came, went and changed', { timeout: 60_000 }, () => {
  fc.assert(
    fc.property(changes, fc.nat(SLOTS * SLOT), fc.integer({ min: 1, max: 300 }), (all, probe, length) => {
      const tree = new VmaTree<Range>();
      const slots = new Map<number, Range>();
      for (const { slot, from, length: wanted, remove } of all) {
        const start = slot * SLOT + from;
        const end = Math.min(start + wanted, (slot + 1) * SLOT);
        const there = slots.get(slot);
        if (there === undefined) {
          const range = { start, end };
          slots.set(slot, range);
          tree.insert(range);
        } else if (remove) {
          slots.delete(slot);
          tree.remove(there);
        } else {
          tree.resize(there, start as Address, end as Address);
        }
      }
      tree.validate();
      const list = [...slots.values()].sort((a, b) => a.start - b.start);
      expect([...tree]).toEqual(list);
      expect(tree.find(probe)).toBe(list.find((r) => r.end > probe) ?? null);
      expect(tree.lookup(probe)).toBe(list.find((r) => r.start <= probe && probe < r.end) ?? null);
      expect(tree.before(probe)).toBe(list.findLast((r) => r.end <= probe) ?? null);
      expect(tree.highestGap(length, 0, probe)).toBe(highest(list, length, 0, probe));
      expect(tree.lowestGap(length, probe, SLOTS * SLOT)).toBe(lowest(list, length, probe, SLOTS * SLOT));
    }),
    { numRuns: 100 },
  );
});

test('thousands of ranges keep their order and holes, in whatever order they come and go', () => {
  const tree = new VmaTree<Range>();
  const ranges = Array.from({ length: 5000 }, (_, i) => ({ start: i * 10, end: i * 10 + 1 + (i % 9) }));
  const shuffled = ranges.map((range, i) => ({ range, key: (i * 7919) % 5000 })).sort((a, b) => a.key - b.key);
  for (const { range } of shuffled) tree.insert(range);
  tree.validate();
  expect([...tree]).toEqual(ranges);
  for (const { range } of shuffled.slice(0, 4900)) tree.remove(range);
  tree.validate();
  expect(tree.size).toBe(100);
});

test('a range that overlaps another is refused, and nothing changes', () => {
  const tree = new VmaTree<Range>();
  for (let i = 0; i < 200; i++) tree.insert({ start: i * 10, end: i * 10 + 5 });
  for (const [start, end] of [
    [4, 6],
    [5, 11],
    [640, 641],
    [0, 2000],
    [7, 7],
  ]) {
    expect(() => tree.insert({ start, end })).toThrow(RangeError);
  }
  tree.validate();
  expect(tree.size).toBe(200);
});
