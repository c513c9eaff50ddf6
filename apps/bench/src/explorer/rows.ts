import {
  bounded,
  dpor,
  exploreParallel,
  kernelProgram,
  lockProgram,
  type Program,
  sample,
  scenarioNamed,
} from '@rmap-lab/explorer';
import { anonVma } from '@rmap-lab/strategy-anon-vma';
import { median, type OnRound, race } from '../measure.js';
import { judged, type Row, type Setup, type Target } from '../row.js';

/** Scenarios of every kind: with many steps and few, with a concurrent walk and without. The first is the shortest. */
const SCENARIOS = [
  'write-x-referenced',
  'fork-x-migrate',
  'move-x-reclaim',
  'munmap-x-walk',
  'exit-child-x-ksm',
  'exec-x-reclaim',
];

type Run = (program: Program) => { readonly schedules: number; readonly failures: number };

const within2: Run = (program) => bounded(program, 2);
const drawn =
  (n: number): Run =>
  (program) =>
    sample(program, { engine: 'pct', depth: 3, seed: 1, maxSchedules: n });

/** Runs every program, `n` times. */
const schedules =
  (programs: readonly Program[], run: Run): Setup =>
  (n) =>
  () => {
    let total = 0;
    for (let i = 0; i < n; i++)
      for (const program of programs) {
        const { schedules, failures } = run(program);
        if (failures > 0) throw new Error('a schedule failed that never should');
        total += schedules;
      }
    return total;
  };

/** Steps the threads of a program in turn, and nothing else: what any explorer pays for its threads. */
const stepped =
  (program: Program, times: number): Setup =>
  (n) =>
  () => {
    for (let i = 0; i < n * times; i++) {
      const { threads } = program();
      const live = Object.values(threads);
      while (live.length > 0) for (let t = live.length - 1; t >= 0; t--) if (live[t].next().done) live.splice(t, 1);
    }
    return n * times;
  };

const programs = (checked: boolean, quick: boolean): Program[] =>
  (quick ? SCENARIOS.slice(0, 1) : SCENARIOS)
    .map(scenarioNamed)
    .map((scenario) => kernelProgram(scenario, { strategy: anonVma(), checked }));

/** The same machines, set up from nothing every time. */
const fresh =
  (program: Program): Program =>
  () =>
    program('fresh');

/** Makes the worlds of programs, and lets none of their threads run. */
const worlds =
  (programs: readonly Program[]): Setup =>
  (n) =>
  () => {
    let threads = 0;
    for (let i = 0; i < n; i++) for (const program of programs) threads += Object.keys(program().threads).length;
    if (threads < n * programs.length) throw new Error('a world has no threads');
    return n * programs.length;
  };

interface Contest {
  readonly id: string;
  readonly ours: (quick: boolean) => Setup;
  readonly other: (quick: boolean) => Setup;
  readonly otherName: string;
  readonly n: number;
  readonly quickN?: number;
  readonly target: Target | null;
  readonly note: string;
}

/** A row that may need workers. */
export interface Measured {
  readonly id: string;
  run(quick: boolean, onRound: OnRound): Row | Promise<Row>;
}

/** A row in schedules per second. */
const bench = ({ id, ours, other, otherName, n, quickN = 1, target, note }: Contest): Measured => ({
  id,
  run(quick, onRound) {
    const size = quick ? quickN : n;
    const { ours: a, other: b, ratio } = race(ours(quick), other(quick), size, quick ? 1 : 5, onRound);
    // `race` says how much longer the other takes.
    return judged({
      id,
      strategy: null,
      unit: 'schedules/s',
      n: size,
      ours: 1e9 / a,
      other: 1e9 / b,
      otherName,
      ratio,
      better: 'higher',
      target,
      note,
    });
  },
});

/** What `npm run -s bench:explorer` measures. */
export const rows: readonly Measured[] = [
  bench({
    id: 'textbook.dpor',
    ours: () => schedules([lockProgram(5)], (program) => dpor(program, { maxSchedules: 40_674 })),
    other: () => stepped(lockProgram(5), 40_674),
    otherName: 'stepping the threads',
    n: 1,
    target: { of: 'ours', floor: 80_000, aim: 180_000 },
    note: 'source-DPOR of 3 threads of 5 critical sections under 2 locks, 60 steps',
  }),
  bench({
    id: 'textbook.pct',
    ours: () => schedules([lockProgram(4)], drawn(5000)),
    other: () => stepped(lockProgram(4), 5000),
    otherName: 'stepping the threads',
    n: 10,
    target: { of: 'ours', floor: 120_000, aim: 340_000 },
    note: 'PCT of depth 3 on 3 threads of 48 steps together',
  }),
  bench({
    id: 'scenario.bounded',
    ours: (quick) => schedules(programs(true, quick), within2),
    other: (quick) => schedules(programs(true, quick).map(fresh), within2),
    otherName: 'setup run again each time',
    n: 10,
    target: { of: 'ours', floor: 30_000, aim: 120_000 },
    note: `with all detectors, at most 2 preemptions, over ${SCENARIOS.join(', ')}`,
  }),
  bench({
    id: 'scenario.pct',
    ours: (quick) => schedules(programs(true, quick), drawn(100)),
    other: (quick) => schedules(programs(true, quick).map(fresh), drawn(100)),
    otherName: 'setup run again each time',
    n: 15,
    target: null,
    note: 'the same scenarios, by PCT',
  }),
  bench({
    id: 'scenario.detectors',
    ours: (quick) => schedules(programs(true, quick), within2),
    other: (quick) => schedules(programs(false, quick), within2),
    otherName: 'without detectors',
    n: 10,
    target: { of: 'ratio', floor: 1 / 2, aim: 1 / 1.4 },
    note: 'guards of freed objects, data races, order of locks; both sides are verified at the end',
  }),
  bench({
    id: 'scenario.setup',
    ours: (quick) => worlds(programs(true, quick)),
    other: (quick) => worlds(programs(true, quick).map(fresh)),
    otherName: 'setup run again each time',
    n: 200,
    target: null,
    note: 'worlds made, no thread run',
  }),
  bench({
    id: 'scenario.guards',
    ours: (quick) => worlds(programs(true, quick).map(fresh)),
    other: (quick) => worlds(programs(false, quick).map(fresh)),
    otherName: 'without detectors',
    n: 200,
    target: null,
    note: 'setup from nothing with guarded objects, and without',
  }),
  {
    id: 'workers.two',
    async run(quick, onRound) {
      const preemptions = quick ? 1 : 7;
      const rate = async (workers: number): Promise<number> => {
        const { schedules, seconds } = await exploreParallel(
          { scenario: 'fork-x-migrate', strategy: 'anon-vma', engine: 'bounded', preemptions },
          { workers, shortNames: { 'anon-vma': import.meta.resolve('@rmap-lab/strategy-anon-vma') } },
        );
        return schedules / seconds;
      };
      const laps: [number, number][] = [];
      for (let lap = 0, of = quick ? 1 : 2; lap < of; lap++) {
        onRound(lap, of);
        laps.push([await rate(2), await rate(1)]);
      }
      return judged({
        id: 'workers.two',
        strategy: null,
        unit: 'schedules/s',
        n: preemptions,
        ours: median(laps.map(([two]) => two)),
        other: median(laps.map(([, one]) => one)),
        otherName: 'one worker',
        ratio: median(laps.map(([two, one]) => two / one)),
        better: 'higher',
        target: { of: 'ratio', floor: 1.7, aim: 1.9 },
        note: `fork-x-migrate with at most ${preemptions} preemptions, start of the workers included`,
      });
    },
  },
];
