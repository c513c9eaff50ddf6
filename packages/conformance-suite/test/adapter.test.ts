import { anonVma } from '@rmap-lab/strategy-anon-vma';
import { conformance } from '../src/adapters/vitest.js';

conformance(anonVma(), { levels: ['contract'] });
