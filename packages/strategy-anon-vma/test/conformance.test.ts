import { conformance } from '@rmap-lab/conformance-suite/vitest';
import { anonVma } from '../src/index.js';

/** With two preemptions: `npm run conformance:long`. */
conformance(anonVma(), {
  preemptions: process.env.CONFORMANCE_LONG === '1' ? 2 : 1,
});
