import { describe, it, skip } from 'node:test';
import type { RmapStrategy } from '@rmap-lab/core';
import type { ConformanceOptions } from '../run.js';
import { defineTests, type Runner } from './define.js';

const runner: Runner = {
  describe: (name, body) => void describe(name, body),
  it: (name, body) => void it(name, body),
  skip: (name) => void skip(name),
};

/** Defines the suite's cases as tests of node:test. Call it at the top of a test file. */
export const conformance = (strategy: RmapStrategy, options?: ConformanceOptions): void => defineTests(runner, strategy, options);
