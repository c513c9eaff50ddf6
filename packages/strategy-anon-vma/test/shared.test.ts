import { allocationSweep, concurrentOperations, randomPrograms } from '@rmap-lab/strategy-tests';
import { anonVma } from '../src/index.js';
import { brokenInvariant } from './invariants.js';

const subject = { strategy: anonVma, audit: () => brokenInvariant };
randomPrograms(subject);
allocationSweep(subject);
concurrentOperations(subject);
