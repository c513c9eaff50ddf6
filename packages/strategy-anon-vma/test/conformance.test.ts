import { LEVELS } from '@rmap-lab/conformance-suite';
import { conformance } from '@rmap-lab/conformance-suite/vitest';
import { anonVma } from '../src/index.js';

/** Mutation testing runs these over and over. */
const QUICK = LEVELS.filter((level) => !['random', 'concurrency', 'scale'].includes(level));

/** With two preemptions: `npm run conformance:long`. */
conformance(anonVma(), {
  preemptions: process.env.CONFORMANCE_LONG === '1' ? 2 : 1,
  levels: process.env.STRYKER === '1' ? QUICK : LEVELS,
});
