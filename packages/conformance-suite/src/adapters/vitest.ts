import type { RmapStrategy } from '@rmap-lab/core';
import { describe, it } from 'vitest';
import type { ConformanceOptions } from '../run.js';
import { defineTests } from './define.js';

/** Defines the suite's cases as tests of vitest. Call it at the top of a test file. */
export const conformance = (strategy: RmapStrategy, options?: ConformanceOptions): void =>
  defineTests({ describe, it }, strategy, options);
