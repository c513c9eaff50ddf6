import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { insertOverwriting, insertSorted, Records } from '../src/records.js';

/** Indexes that the model knows of. */
const INDEXES = 24;

interface Claim {
  readonly first: number;
  readonly end: number;
  readonly delta: number;
}

/** Chunks of two slots that an array of deltas takes: none for a single one, then one, doubled as often as it takes. */
const chunksOf = (deltas: readonly number[]): number =>
  deltas.length < 2 ? 0 : 2 ** Math.max(0, Math.ceil(Math.log2(deltas.length / 2)));

const overlap = (a: Claim, b: Claim): boolean => a.first < b.end && b.first < a.end;
const sorted = (deltas: Iterable<number>): number[] => [...deltas].sort((a, b) => a - b);

/** What must hold of the records, whatever the claims. */
function validate(records: Records, claims: readonly Claim[]): void {
  const { ranges, room } = records;
  const wrong = ranges.filter(({ first, end, deltas }, i) => {
    const apart = first < end && (i === 0 || ranges[i - 1].end <= first);
    return !apart || deltas.length === 0 || deltas.some((delta, at) => at > 0 && deltas[at - 1] >= delta);
  });
  expect(wrong).toEqual([]);
  expect(room).toEqual({ ranges: ranges.length, chunks: ranges.reduce((sum, { deltas }) => sum + chunksOf(deltas), 0) });
  const indexes = Array.from({ length: INDEXES }, (_, index) => index);
  const claimed = (first: number, end: number): number[] =>
    sorted(new Set(claims.filter((claim) => overlap(claim, { first, end, delta: 0 })).map(({ delta }) => delta)));
  expect(indexes.map((index) => sorted(records.deltasIn(index, index)))).toEqual(
    indexes.map((index) => claimed(index, index + 1)),
  );
  expect(indexes.map((index) => sorted(records.deltasIn(index, index + 4)))).toEqual(
    indexes.map((index) => claimed(index, index + 5)),
  );
}

type Step = readonly [kind: 'add' | 'drop' | 'join', first: number, length: number, delta: number];
const step: fc.Arbitrary<Step> = fc.tuple(
  fc.constantFrom('add' as const, 'add' as const, 'drop' as const, 'join' as const),
  fc.nat(INDEXES - 6),
  fc.integer({ min: 1, max: 6 }),
  // So many deltas that some ranges need more than one chunk; of both signs.
  fc.integer({ min: -20, max: 20 }).filter((delta) => delta !== 0),
);

describe('records', () => {
  it('know the deltas of every index, and what they take, whatever is recorded, dropped and joined', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80, size: 'max' }), (steps) => {
        const records = new Records(insertSorted);
        const claims: Claim[] = [];
        for (const [kind, first, length, delta] of steps) {
          const claim = { first, end: first + length, delta };
          if (kind === 'add') {
            // VMAs of one delta are apart.
            if (claims.some((one) => one.delta === delta && overlap(one, claim))) continue;
            const before = records.room;
            const more = records.roomFor(claim.first, claim.end, delta);
            records.add(claim.first, claim.end, delta);
            claims.push(claim);
            expect(records.room).toEqual({ ranges: before.ranges + more.ranges, chunks: before.chunks + more.chunks });
          } else if (kind === 'drop' && claims.length > 0) {
            const [gone] = claims.splice(first % claims.length, 1);
            records.drop(gone.first, gone.end, gone.delta);
          } else if (kind === 'join' && claims.length > 0) {
            const { first: from, end: to } = claims[first % claims.length];
            records.join(from, to);
            const inside = records.ranges.filter((range) => range.first >= from && range.end <= to);
            for (const [i, right] of inside.entries()) {
              const left = inside[i - 1];
              const same = left?.end === right.first && left.deltas.length === 1 && right.deltas.length === 1;
              if (same) expect(left.deltas[0]).not.toBe(right.deltas[0]);
            }
          }
          validate(records, claims);
        }
        records.clear();
        validate(records, []);
      }),
      { numRuns: 100 },
    );
  });

  it('take a chunk of two from the second delta of a range on, and twice as many from the third, the fifth, the ninth on', () => {
    const records = new Records(insertSorted);
    const chunks = Array.from({ length: 10 }, (_, i) => {
      records.add(0, 1, i + 1);
      return records.room.chunks;
    });
    expect(chunks).toEqual([0, 1, 2, 2, 4, 4, 4, 4, 8, 8]);
  });

  it('want room for what a record fills and cuts, and for one delta more where they do not have it', () => {
    const records = new Records(insertSorted);
    expect(records.roomFor(0, 10, 2)).toEqual({ ranges: 1, chunks: 0 });
    records.add(2, 4, 1);
    records.add(6, 8, 1);
    expect(records.roomFor(0, 10, 2)).toEqual({ ranges: 3, chunks: 2 });
    expect(records.roomFor(4, 6, 2)).toEqual({ ranges: 1, chunks: 0 });
    expect(records.roomFor(3, 6, 2)).toEqual({ ranges: 2, chunks: 1 });
    expect(records.roomFor(3, 6, 1)).toEqual({ ranges: 2, chunks: 0 });
    expect(records.roomFor(2, 4, 1)).toEqual({ ranges: 0, chunks: 0 });
    records.add(2, 4, 2);
    expect(records.roomFor(3, 4, 3)).toEqual({ ranges: 1, chunks: 2 });
  });

  it('have a border that can be taken away where both sides say the same one delta', () => {
    const records = new Records(insertSorted);
    for (const [first, end, delta] of [
      [0, 4, 1],
      [4, 8, 1],
      [8, 12, 2],
      [14, 16, 2],
      [20, 24, 3],
      [24, 28, 3],
      [20, 28, 4],
    ]) {
      records.add(first, end, delta);
    }
    const across = Array.from({ length: 30 }, (_, index) => records.across(index));
    expect(across.flatMap((delta, index) => (delta === null ? [] : [[index, delta]]))).toEqual([[4, 1]]);
    records.heal(4);
    expect(records.ranges.slice(0, 2)).toEqual([
      { first: 0, end: 8, deltas: [1] },
      { first: 8, end: 12, deltas: [2] },
    ]);
  });

  it('join neighbours that say the same inside a VMA, and no others', () => {
    const records = new Records(insertSorted);
    for (const [first, end, delta] of [
      [0, 2, 5],
      [2, 4, 5],
      [4, 6, 7],
      [7, 8, 7],
      [8, 9, 7],
      [9, 12, 7],
    ])
      records.add(first, end, delta);
    records.join(0, 9);
    expect(records.ranges).toEqual([
      { first: 0, end: 4, deltas: [5] },
      { first: 4, end: 6, deltas: [7] },
      { first: 7, end: 9, deltas: [7] },
      { first: 9, end: 12, deltas: [7] },
    ]);
    records.join(8, 12);
    expect(records.ranges).toHaveLength(4);
  });

  it('drop a delta from what lies inside, or from all that is touched', () => {
    const build = (): Records => {
      const records = new Records(insertSorted);
      for (const [first, end] of [
        [0, 3],
        [3, 6],
        [6, 9],
      ])
        records.add(first, end, 5);
      return records;
    };
    const inside = build();
    inside.drop(2, 7, 5);
    expect(inside.ranges.map(({ first }) => first)).toEqual([0, 6]);
    const touched = build();
    touched.drop(2, 6, 5, true);
    expect(touched.ranges.map(({ first }) => first)).toEqual([6]);
  });

  it('have a delta written over in all that is touched, and say whether there was one', () => {
    const records = new Records(insertOverwriting);
    records.add(0, 3, 5);
    records.add(3, 6, 5);
    records.add(6, 9, 5);
    expect(records.replace(2, 6, 5, 8)).toBe(true);
    expect(records.replace(2, 6, 5, 8)).toBe(false);
    expect(records.ranges.map(({ deltas }) => deltas)).toEqual([[8], [8], [5]]);
  });
});

describe('the arrays of deltas', () => {
  it('are kept in order', () => {
    const deltas: number[] = [];
    for (const delta of [5, -3, 9, 7, -8]) insertSorted(deltas, delta);
    expect(deltas).toEqual([-8, -3, 5, 7, 9]);
  });

  it('lose what stands where a new delta belongs in the proof of concept, which compares machine words', () => {
    const deltas: number[] = [];
    for (const delta of [5, 9, -3]) insertOverwriting(deltas, delta);
    expect(deltas).toEqual([5, 9, -3]);
    insertOverwriting(deltas, 7);
    expect(deltas).toEqual([5, 7, -3]);
    insertOverwriting(deltas, -8);
    expect(deltas).toEqual([5, 7, -8]);
  });
});
