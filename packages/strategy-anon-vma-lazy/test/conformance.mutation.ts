import { conformance } from '@rmap-lab/conformance-suite/vitest';
import { anonVmaLazy } from '../src/index.js';

/** For mutation testing: the levels that take a second together. */
conformance(anonVmaLazy(), { levels: ['contract', 'one-address-space', 'families', 'large-folios', 'walkers', 'failure'] });
