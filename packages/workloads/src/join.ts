import type { TouchRecord } from './format.js';

/** Two touches are made a run if they are at most this many pages apart. */
const WIDEST = 64;

/** `run` and the touch that follows it as one record, or null if they don't make one: same process and access, one stride. */
export function joinTouches(run: TouchRecord, next: TouchRecord): TouchRecord | null {
  if (run.process !== next.process || run.write !== next.write) return null;
  const stride = run.count === 1 ? next.first - run.first : run.stride;
  if (stride === 0 || (run.count === 1 && Math.abs(stride) > WIDEST)) return null;
  if (next.first !== run.first + run.count * stride || (next.count > 1 && next.stride !== stride)) return null;
  return { ...run, count: run.count + next.count, stride };
}
