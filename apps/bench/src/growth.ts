import { costs, exponent } from './measure.js';
import { type Bench, judged, type MachineSetup, type Row, type Setup } from './row.js';

/** Cost per operation as a power of n: 0 is constant, 1 linear. Above log n's own exponent, room for caches that fit no more. */
const TARGET = { of: 'ours', floor: 0.3, aim: 0.15 } as const;

/** How the cost of one operation grows with the size of what it works on. */
export interface Growth<S = MachineSetup> {
  readonly id: string;
  /** What n counts. */
  readonly of: string;
  readonly sizes: readonly number[];
  readonly quickSizes: readonly number[];
  readonly setup: S;
}

/** The growth of what machines do: one row for each strategy. */
export const growth = (what: Growth): Bench => ({
  id: what.id,
  run: (quick, strategies) => [...strategies].map(([name, strategy]) => row(what, name, (n) => what.setup(n, strategy), quick)),
});

/** The same for a data structure. */
export const structureGrowth = (what: Growth<Setup>): Bench => ({
  id: what.id,
  run: (quick) => [row(what, null, what.setup, quick)],
});

/** The fitted exponent, next to the one that log n has over the same sizes. */
function row({ id, of, sizes, quickSizes }: Growth<unknown>, strategy: string | null, setup: Setup, quick: boolean): Row {
  const at = quick ? quickSizes : sizes;
  const nanoseconds = costs(setup, at);
  return judged({
    id,
    strategy,
    unit: 'exponent',
    n: at[at.length - 1],
    ours: exponent(at, nanoseconds),
    other: exponent(at, at.map(Math.log)),
    otherName: 'log n',
    ratio: null,
    better: 'lower',
    target: TARGET,
    note: `${at.map((n, i) => `${n}: ${nanoseconds[i].toPrecision(3)} ns`).join(', ')} (n: ${of})`,
  });
}
