import { describe, expect, it } from 'vitest';
import {
  bruteForce,
  dpor,
  lockProgram,
  type Program,
  racyProgram,
  type Search,
  type SearchOptions,
  stateSearch,
} from '../src/index.js';
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
function explored(engine: Engine, program: Program, outcome: () => string, maxSchedules?: number): Explored {
  const keys = new Set<string>();
  const outcomes = new Set<string>();
  const search = engine(program, {
    keepGoing: true,
    ...(maxSchedules !== undefined && { maxSchedules }),
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
    const all = explored(bruteForce, announced, outcome, most);
    if (!all.search.exhausted) continue;
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
