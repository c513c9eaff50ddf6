import type { RmapStrategy } from '@rmap-lab/core';
import { describe, it } from 'vitest';
import type { ConformanceOptions } from '../run.js';
import { defineTests, type Runner } from './define.js';

const runner: Runner = {
  describe,
  it: (name, body, milliseconds) => it(name, body, milliseconds),
  // biome-ignore lint/suspicious/noSkippedTests: what nothing can verify must not count as passed
  skip: (name) => it.skip(name, () => {}),
};

/** Defines the suite's cases as tests of vitest. Call it at the top of a test file. */
export const conformance = (strategy: RmapStrategy, options?: ConformanceOptions): void => defineTests(runner, strategy, options);
