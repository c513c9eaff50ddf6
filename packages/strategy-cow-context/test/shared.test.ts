import { allocationSweep, concurrentOperations, randomPrograms } from '@rmap-lab/strategy-tests';
import { cowContext } from '../src/index.js';
import { downwards } from './downwards.js';
import { brokenInvariant } from './invariants.js';

const subject = { strategy: () => downwards(cowContext()), audit: () => brokenInvariant };
randomPrograms(subject);
allocationSweep(subject);
concurrentOperations(subject);
