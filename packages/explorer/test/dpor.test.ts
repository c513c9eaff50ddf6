import type { Op } from '@rmap-lab/core';
import { describe, expect, it } from 'vitest';
import {
  bruteForce,
  dpor,
  keptProgram,
  lockProgram,
  type Program,
  racyProgram,
  type Search,
  type SearchOptions,
  stateSearch,
} from '../src/index.js';
import { step } from './support/outcomes.js';
import { type Deed, machineProgram, randomDeeds } from './support/random-machine.js';
import { randomProgram } from './support/random-program.js';

const LONG = process.env.EXPLORER_LONG === '1';

describe('source-DPOR runs as many schedules as published for', () => {
  const programs: [string, ReturnType<typeof lockProgram>, number, boolean?][] = [
    ['2 sections under locks', lockProgram(2), 36],
    ['3 sections under locks', lockProgram(3), 342],
    ['4 sections under locks', lockProgram(4), 3606],
    ['5 sections under locks', lockProgram(5), 40_674],
    ['6 sections under locks', lockProgram(6), 477_540, true],
    ['2 racy rounds on 2 words', racyProgram(2, 2), 322],
    ['2 racy rounds on 1 word', racyProgram(2, 1), 7134],
    ['3 racy rounds on 2 words', racyProgram(3, 2), 19_692],
    ['3 racy rounds on 1 word', racyProgram(3, 1), 1_824_912, true],
  ];
  it.each(programs.filter(([, , , long]) => LONG || !long))(
    '%s',
    (_, program, traces) => {
      const search = dpor(program);
      expect(search).toMatchObject({ schedules: traces, exhausted: true, failures: 0 });
      expect(search.blocked / search.schedules).toBeLessThan(0.01);
    },
    120_000,
  );
});

interface Explored {
  readonly search: Search;
  readonly keys: readonly string[];
  readonly outcomes: readonly string[];
}

type Engine = (program: Program, options: SearchOptions) => Search;

/** All traces and outcomes that an engine comes by. */
function explored(engine: Engine, program: Program, outcome: () => string): Explored {
  const keys = new Set<string>();
  const outcomes = new Set<string>();
  const search = engine(program, {
    keepGoing: true,
    onTrace: (history) => {
      keys.add(history.key());
      outcomes.add(outcome());
    },
  });
  return { search, keys: [...keys].sort(), outcomes: [...outcomes].sort() };
}

/** Compares engines with brute force over random programs; those with too many interleavings for that are replaced by the next. */
function compare(
  programs: number,
  most: number,
  against: (program: Program, all: Explored, outcome: () => string, name: string) => number,
): void {
  let traces = 0;
  let redundant = 0;
  for (let seed = 1, compared = 0; compared < programs; seed++) {
    const { program, outcome } = randomProgram(seed);
    const announced: Program = () => program('fresh');
    // Most have too many, and it takes far less time to find that out without going by their traces.
    if (!bruteForce(announced, { keepGoing: true, maxSchedules: most }).exhausted) continue;
    const all = explored(bruteForce, announced, outcome);
    compared++;
    traces += all.keys.length;
    redundant += against(program, all, outcome, `program ${seed}`);
  }
  expect(traces).toBeGreaterThan(programs * 2);
  expect(redundant / traces).toBeLessThan(0.05);
}

describe('against brute force, over random programs with locks, tries, RCU and plain words', () => {
  it('source-DPOR by what steps announce: every trace and outcome, hardly any twice', () => {
    const check = (program: Program, all: Explored, outcome: () => string, name: string): number => {
      const reduced = explored(dpor, () => program('fresh'), outcome);
      expect(reduced.keys, name).toEqual(all.keys);
      expect(reduced.outcomes, name).toEqual(all.outcomes);
      return reduced.search.schedules + reduced.search.blocked - all.keys.length;
    };
    compare(LONG ? 100_000 : 10_000, LONG ? 1000 : 50, check);
    compare(LONG ? 10_000 : 150, LONG ? 20_000 : 2000, check);
  }, 3_600_000);

  it('source-DPOR by what steps read and store, and all states: every outcome', () => {
    const check = (program: Program, all: Explored, outcome: () => string, name: string): number => {
      const reduced = explored(dpor, program, outcome);
      expect(reduced.outcomes, name).toEqual(all.outcomes);
      const states = explored((p, options) => stateSearch(p, options), program, outcome);
      expect(states.outcomes, name).toEqual(all.outcomes);
      expect(states.search.failures > 0, name).toBe(all.search.failures > 0);
      return 0;
    };
    compare(LONG ? 10_000 : 200, 200, check);
  }, 3_600_000);
});

/** Every way in which a program ends, deadlocks included, by engine; null: it has too many interleavings to know. */
function endings(program: Program, outcome: () => string, most: number): Record<string, readonly string[]> | null {
  const by = (engine: Engine, maxSchedules?: number): [Search, string[]] => {
    const found = new Set<string>();
    const search = engine(program, {
      keepGoing: true,
      ...(maxSchedules !== undefined && { maxSchedules }),
      onTrace: (_, { failure }) => found.add(`${failure?.name ?? 'ends'} ${outcome()}`),
    });
    return [search, [...found].sort()];
  };
  const [{ exhausted }, all] = by(bruteForce, most);
  return exhausted ? { all, dpor: by(dpor)[1], states: by(stateSearch)[1] } : null;
}

const alike = (all: readonly string[] | undefined): Record<string, readonly string[] | undefined> => ({
  all,
  dpor: all,
  states: all,
});

describe('against brute force, a thread that waits for two words', () => {
  interface Words {
    x: number;
    y: number;
  }
  const stores = function* (words: Words, ...values: readonly Partial<Words>[]): Op<void> {
    for (const value of values) {
      yield step(words);
      Object.assign(words, value);
    }
  };
  // Each was once said to be exhausted when the waiter had been seen to wait only.
  it.each<[string, (words: Words) => Record<string, Op<void>>, (words: Words) => boolean]>([
    [
      'may go on before either is stored',
      (words) => ({ one: stores(words, { y: 1 }, { x: 1 }) }),
      (words) => words.x === 0 && words.y === 0,
    ],
    [
      'may go on between stores of two others',
      (words) => ({ one: stores(words, { x: 1 }, { x: 0 }), other: stores(words, { y: 1 }, { y: 0 }) }),
      (words) => words.x === 1 && words.y === 1,
    ],
  ])('%s', (_, threads, right) => {
    let words: Words;
    const program = keptProgram<Words>(
      () => ({ x: 0, y: 0 }),
      (world, kept) => {
        words = world;
        const waiter = (function* (): Op<void> {
          yield step(world, () => right(world));
        })();
        return { threads: { ...threads(world), waiter }, ...kept?.views() };
      },
    );
    const found = endings(program, () => `${words.x} ${words.y}`, 1000);
    expect(found).toEqual(alike(found?.all));
    expect(found?.all).toHaveLength(2);
  });
});

describe('against brute force, over programs with locks of the machine and waits for several words', () => {
  // Each was once said to be exhausted when it was not.
  it.each<[string, Deed[][]]>([
    [
      'an attempt to write fails as another reads, and one to read does not',
      [
        [
          ['tryWrite', 0, [], true],
          ['tryRead', 0, [], false],
        ],
        [['read', 0, [['load', 0]]]],
      ],
    ],
    [
      'a step that is waited for gives up a lock, and before it others may try to take that',
      [
        [['tryWrite', 1, [['add', 1]], true]],
        [
          ['tryRead', 1, [['add', 1]], false],
          ['tryWrite', 0, [], true],
        ],
        [
          ['add', 2],
          ['tryWrite', 0, [['awaitOdd', 1, 1]], false],
        ],
      ],
    ],
  ])('%s', (_, deeds) => {
    const { program, outcome } = machineProgram(deeds);
    const found = endings(program, outcome, 10_000);
    expect(found).toEqual(alike(found?.all));
    expect(found?.all.length).toBeGreaterThan(1);
  });

  it('source-DPOR and all states: every outcome of random ones', () => {
    let compared = 0;
    for (let seed = 1; compared < (LONG ? 10_000 : 300); seed++) {
      const { program, outcome } = machineProgram(randomDeeds(seed));
      const found = endings(program, outcome, LONG ? 2000 : 200);
      if (found === null) continue;
      compared++;
      expect(found, `program ${seed}`).toEqual(alike(found.all));
    }
  }, 3_600_000);
});
