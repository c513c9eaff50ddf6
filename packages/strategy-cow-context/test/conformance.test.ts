import { LEVELS, runConformance } from '@rmap-lab/conformance-suite';
import { conformance } from '@rmap-lab/conformance-suite/vitest';
import { expect, it } from 'vitest';
import { cowContext } from '../src/index.js';

/** Every interleaving: `npm run conformance:long`. */
conformance(cowContext(), {
  preemptions: process.env.CONFORMANCE_LONG === '1' ? Number.POSITIVE_INFINITY : 1,
});

it('the published form fails in these cases and no others', async () => {
  const { results } = runConformance(cowContext('poc'), { levels: LEVELS.filter((level) => level !== 'concurrency') });
  const failed = results.filter(({ outcome }) => outcome === 'failed').map(({ id, broken }) => `${id}  ${broken?.split(':')[0]}`);
  await expect(`${failed.join('\n')}\n`).toMatchFileSnapshot('conformance-poc.txt');
});

/** Mutation testing changes what runs inside a test, and the strategy above was made before. */
it('is held to what it says of itself when it is made anew', () => {
  const { results } = runConformance(cowContext(), { levels: ['contract', 'scale'] });
  expect(results.filter(({ outcome }) => outcome === 'failed')).toEqual([]);
  expect(results.length).toBeGreaterThan(30);
});
