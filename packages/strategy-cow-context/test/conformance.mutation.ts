import { conformance } from '@rmap-lab/conformance-suite/vitest';
import { cowContext } from '../src/index.js';

/** For mutation testing: the levels that take a second together. */
conformance(cowContext(), { levels: ['contract', 'one-address-space', 'families', 'large-folios', 'walkers', 'failure'] });
