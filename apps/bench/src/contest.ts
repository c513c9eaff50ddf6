import type { RmapStrategy } from '@rmap-lab/core';
import { type OnRound, raceAll } from './measure.js';
import { type Bench, judged, type MachineSetup, type Setup, type Target } from './row.js';

/** Ours against another, doing the same work at the same size. */
export interface Contest<S = MachineSetup> {
  readonly id: string;
  /** What one operation is, in the singular. */
  readonly operation: string;
  /** Print operations a second, or nanoseconds an operation. */
  readonly as: 'rate' | 'time';
  readonly n: number;
  readonly quickN: number;
  readonly ours: S;
  readonly other: S;
  readonly otherName: string;
  readonly target?: Target;
}

const ROUNDS = 9;
const QUICK_ROUNDS = 3;

/** A contest of machines: one row for each strategy, all taking turns. */
export function contest(what: Contest): Bench {
  const at =
    (setup: MachineSetup, strategy: RmapStrategy): Setup =>
    (n) =>
      setup(n, strategy);
  return {
    id: what.id,
    run: (quick, strategies, onRound) =>
      rows(
        what,
        [...strategies].map(([name, strategy]) => ({
          name,
          ours: at(what.ours, strategy),
          other: at(what.other, strategy),
        })),
        quick,
        onRound,
      ),
  };
}

/** A contest of data structures. */
export const structureContest = (what: Contest<Setup>): Bench => ({
  id: what.id,
  run: (quick, _, onRound) => rows(what, [{ name: null, ours: what.ours, other: what.other }], quick, onRound),
});

interface Pair {
  readonly name: string | null;
  readonly ours: Setup;
  readonly other: Setup;
}

function rows(
  { id, operation, as, n, quickN, otherName, target }: Contest<unknown>,
  pairs: readonly Pair[],
  quick: boolean,
  onRound: OnRound,
) {
  const size = quick ? quickN : n;
  const races = raceAll(
    pairs.map(({ ours, other }) => [ours, other]),
    size,
    quick ? QUICK_ROUNDS : ROUNDS,
    onRound,
  );
  const figure = (nanoseconds: number): number => (as === 'rate' ? 1e9 / nanoseconds : nanoseconds);
  return races.map(({ ours, other, ratio }, i) =>
    judged({
      id,
      strategy: pairs[i].name,
      unit: as === 'rate' ? `${operation}s/s` : `ns/${operation}`,
      n: size,
      ours: figure(ours),
      other: figure(other),
      otherName,
      ratio,
      better: as === 'rate' ? 'higher' : 'lower',
      target: target ?? null,
      note: '',
    }),
  );
}
