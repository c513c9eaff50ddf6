import { LEVELS, runConformance } from '@rmap-lab/conformance-suite';
import { conformance } from '@rmap-lab/conformance-suite/vitest';
import { expect, it } from 'vitest';
import { cowContext } from '../src/index.js';

/** With two preemptions: `npm run conformance:long`. */
conformance(cowContext(), {
  preemptions: process.env.CONFORMANCE_LONG === '1' ? 2 : 1,
});

it('the published form fails in these cases and no others', async () => {
  const { results } = runConformance(cowContext('poc'), { levels: LEVELS.filter((level) => level !== 'concurrency') });
  const failed = results.filter(({ outcome }) => outcome === 'failed').map(({ id, broken }) => `${id}  ${broken?.split(':')[0]}`);
  await expect(`${failed.join('\n')}\n`).toMatchFileSnapshot('conformance-poc.txt');
});
