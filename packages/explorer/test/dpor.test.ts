import { describe, expect, it } from 'vitest';
import { bruteForce, dpor, lockProgram, racyProgram, type Search, type SearchOptions } from '../src/index.js';
import { randomProgram } from './support/random-program.js';

const LONG = process.env.EXPLORER_LONG === '1';
/** Random programs to compare with brute force; those with too many interleavings for that are replaced by the next. */
const PROGRAMS = LONG ? 10_000 : 600;
const MOST = LONG ? 20_000 : 3000;

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

describe('source-DPOR against brute force', () => {
  it(`finds every trace and outcome of ${PROGRAMS} random programs, and hardly any twice`, () => {
    let compared = 0;
    let traces = 0;
    let redundant = 0;
    for (let seed = 1; compared < PROGRAMS; seed++) {
      const { program, outcome } = randomProgram(seed);
      const explored = (engine: (p: typeof program, options: SearchOptions) => Search) => {
        const keys = new Set<string>();
        const outcomes = new Set<string>();
        const search = engine(program, {
          keepGoing: true,
          maxSchedules: MOST,
          onTrace: (history) => {
            keys.add(history.key());
            outcomes.add(outcome());
          },
        });
        return { search, keys: [...keys].sort(), outcomes: [...outcomes].sort() };
      };
      const all = explored(bruteForce);
      if (!all.search.exhausted) continue;
      const reduced = explored(dpor);
      expect(reduced.keys, `program ${seed}`).toEqual(all.keys);
      expect(reduced.outcomes, `program ${seed}`).toEqual(all.outcomes);
      compared++;
      traces += all.keys.length;
      redundant += reduced.search.schedules + reduced.search.blocked - all.keys.length;
    }
    expect(traces).toBeGreaterThan(PROGRAMS * 4);
    expect(redundant / traces).toBeLessThan(0.05);
  }, 600_000);
});
