import { type CaseResult, LEVELS, runConformance } from '@rmap-lab/conformance-suite';
import { conformance } from '@rmap-lab/conformance-suite/vitest';
import { expect, it } from 'vitest';
import { anonVmaLazy, PRESETS } from '../src/index.js';

/** One operation after the other. */
const SEQUENTIAL = LEVELS.filter((level) => level !== 'concurrency');
/** Every interleaving: `npm run conformance:long`. */
const LONG = process.env.CONFORMANCE_LONG === '1';
const preemptions = LONG ? Number.POSITIVE_INFINITY : 1;

const failedOf = (results: readonly CaseResult[]): string =>
  `${results
    .filter(({ outcome }) => outcome === 'failed')
    .map(({ id, broken }) => `${id}  ${broken?.split(':')[0]}`)
    .join('\n')}\n`;

conformance(anonVmaLazy(), { levels: SEQUENTIAL });

/**
 * Its walk keeps a reference on the root and nothing else (`walkLock: 'refOnly'`). So the start and the offset of the root may change between its
 * two loads (R18), `unlink` has nothing to wait for before page tables are freed (R20), collapse nothing to keep walks out with (R24), and the
 * address space that VMAs are looked up in may be gone (R31).
 */
it('what its author intends breaks a rule in these concurrent cases and no others', async () => {
  const { results } = runConformance(anonVmaLazy(), { levels: ['concurrency'], preemptions });
  await expect(failedOf(results)).toMatchFileSnapshot(`conformance-intended${LONG ? '-everywhere' : ''}.txt`);
}, 300_000);

/** The author's answer to whoever misses the lock of the anon_vma keeps all of them. */
conformance(anonVmaLazy({ ...PRESETS.intended, walkLock: 'hashedLock' }), { levels: ['concurrency'], preemptions });

it('the published form fails in these cases and no others', async () => {
  const { results } = runConformance(anonVmaLazy('posted'), { levels: SEQUENTIAL });
  await expect(failedOf(results)).toMatchFileSnapshot('conformance-posted.txt');
});

/** Mutation testing changes what runs inside a test, and the strategy above was made before. */
it('is held to what it says of itself when it is made anew', () => {
  const { results } = runConformance(anonVmaLazy(), { levels: ['contract', 'scale'] });
  expect(results.filter(({ outcome }) => outcome === 'failed')).toEqual([]);
  expect(results.length).toBeGreaterThan(30);
});
