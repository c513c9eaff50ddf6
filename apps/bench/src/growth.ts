import { costs, exponent } from './measure.js';
import { type Bench, judged, type Setup } from './row.js';

/** Cost per operation as a power of n: 0 is constant, 1 linear. Above log n's own exponent, room for caches that fit no more. */
const TARGET = { of: 'ours', floor: 0.3, aim: 0.15 } as const;

/** How the cost of one operation grows with the size of what it works on. */
export interface Growth {
  readonly id: string;
  /** What n counts. */
  readonly of: string;
  readonly sizes: readonly number[];
  readonly quickSizes: readonly number[];
  readonly setup: Setup;
}

/** A growth as a row: the fitted exponent, next to the one that log n has over the same sizes. */
export function growth({ id, of, sizes, quickSizes, setup }: Growth): Bench {
  return {
    id,
    run(quick) {
      const at = quick ? quickSizes : sizes;
      const nanoseconds = costs(setup, at);
      return judged({
        id,
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
    },
  };
}
