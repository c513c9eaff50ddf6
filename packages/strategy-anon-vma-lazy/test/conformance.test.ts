import { LEVELS, runConformance } from '@rmap-lab/conformance-suite';
import { conformance } from '@rmap-lab/conformance-suite/vitest';
import { expect, it } from 'vitest';
import { anonVmaLazy } from '../src/index.js';

/** Mutation testing runs these over and over. */
const QUICK = LEVELS.filter((level) => !['random', 'concurrency', 'scale'].includes(level));

/** With two preemptions: `npm run conformance:long`. */
conformance(anonVmaLazy(), {
  preemptions: process.env.CONFORMANCE_LONG === '1' ? 2 : 1,
  levels: process.env.STRYKER === '1' ? QUICK : LEVELS,
});

it('the published form fails in these cases and no others', async () => {
  const { results } = runConformance(anonVmaLazy('posted'), { levels: LEVELS.filter((level) => level !== 'concurrency') });
  const failed = results.filter(({ outcome }) => outcome === 'failed').map(({ id, broken }) => `${id}  ${broken?.split(':')[0]}`);
  await expect(`${failed.join('\n')}\n`).toMatchFileSnapshot('conformance-posted.txt');
});
