import type { ConformanceCase } from '../case.js';
import type { RuleId } from '../rules.js';

/** What the rules say too and nothing here can check: stated, so that nobody takes it for checked. */
const stated = (name: string, rule: RuleId, title: string, reason: string): ConformanceCase => ({
  id: `concurrency/${name}`,
  level: 'concurrency',
  rule,
  strength: 'unverified',
  needs: [],
  title,
  why: reason,
  unverifiable: () => reason,
  run() {},
});

/** Cases that no run decides. */
export const unverified: readonly ConformanceCase[] = [
  stated(
    'weaker-memory',
    'R30',
    'lock-free readers are right on machines that reorder loads and stores',
    'the explorer is sequentially consistent; Documentation/memory-barriers.txt',
  ),
  stated(
    'more-preemptions',
    'R18',
    'no rule is broken in schedules with more preemptions than were asked for',
    'cases stop at two unless --preemptions says more, or all',
  ),
];
