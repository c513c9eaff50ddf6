import { allocationSweep, concurrentOperations, randomPrograms } from '@rmap-lab/strategy-tests';
import { anonVmaLazy } from '../src/index.js';
import { invariants } from './invariants.js';
import { oneWay } from './one-way.js';

const subject = { strategy: () => oneWay(anonVmaLazy()), audit: invariants };
randomPrograms(subject);
allocationSweep(subject);
// X12: the root's start and offset are read while a split changes both; see published-form.test.ts. X13: nothing keeps the address
// space of the root; conformance.test.ts lists where that shows.
concurrentOperations(subject, ['a walk while a VMA splits and merges', 'a walk while the last process exits']);
