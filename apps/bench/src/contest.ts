import { race } from './measure.js';
import { type Bench, judged, type Setup, type Target } from './row.js';

/** Ours against another, doing the same work at the same size. */
export interface Contest {
  readonly id: string;
  /** What one operation is, in the singular. */
  readonly operation: string;
  /** Print operations a second, or nanoseconds an operation. */
  readonly as: 'rate' | 'time';
  readonly n: number;
  readonly quickN: number;
  readonly ours: Setup;
  readonly other: Setup;
  readonly otherName: string;
  readonly target?: Target;
}

const ROUNDS = 9;
const QUICK_ROUNDS = 3;

/** A contest as a row. */
export function contest({ id, operation, as, n, quickN, ours, other, otherName, target }: Contest): Bench {
  return {
    id,
    run(quick) {
      const size = quick ? quickN : n;
      const result = race(ours, other, size, quick ? QUICK_ROUNDS : ROUNDS);
      const figure = (nanoseconds: number): number => (as === 'rate' ? 1e9 / nanoseconds : nanoseconds);
      return judged({
        id,
        unit: as === 'rate' ? `${operation}s/s` : `ns/${operation}`,
        n: size,
        ours: figure(result.ours),
        other: figure(result.other),
        otherName,
        ratio: result.ratio,
        better: as === 'rate' ? 'higher' : 'lower',
        target: target ?? null,
        note: '',
      });
    },
  };
}
