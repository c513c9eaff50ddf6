import { runConformance } from '@rmap-lab/conformance-suite';
import { conformance } from '@rmap-lab/conformance-suite/vitest';
import { expect, it } from 'vitest';
import { anonVma } from '../src/index.js';

/** Every interleaving: `npm run conformance:long`. */
conformance(anonVma(), {
  preemptions: process.env.CONFORMANCE_LONG === '1' ? Number.POSITIVE_INFINITY : 1,
});

/** Mutation testing changes what runs inside a test, and the strategy above was made before. */
it('is held to what it says of itself when it is made anew', () => {
  const { results } = runConformance(anonVma(), { levels: ['contract', 'scale'] });
  expect(results.filter(({ outcome }) => outcome === 'failed')).toEqual([]);
  expect(results.length).toBeGreaterThan(30);
});
