import { conformance } from '@rmap-lab/conformance-suite/vitest';
import { anonVma } from '../src/index.js';

/** For mutation testing: the levels that take a second together. */
conformance(anonVma(), { levels: ['contract', 'one-address-space', 'families', 'large-folios', 'walkers', 'failure'] });
