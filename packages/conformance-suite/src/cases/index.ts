import type { ConformanceCase } from '../case.js';
import { concurrency } from './concurrency.js';
import { contract } from './contract.js';
import { failures } from './failure.js';
import { families } from './families.js';
import { kernelTests } from './kernel-tests.js';
import { largeFolios } from './large-folios.js';
import { lineage } from './lineage.js';
import { managedState } from './managed-state.js';
import { oneAddressSpace } from './one-address-space.js';
import { random } from './random.js';
import { scale } from './scale.js';
import { unverified } from './unverified.js';
import { walkerCases } from './walkers.js';

/** All cases, by level. */
export const cases: readonly ConformanceCase[] = [
  ...contract,
  managedState,
  ...oneAddressSpace,
  ...families,
  ...largeFolios,
  ...walkerCases,
  ...lineage,
  ...kernelTests,
  ...failures,
  ...random,
  ...concurrency,
  ...unverified,
  ...scale,
];
