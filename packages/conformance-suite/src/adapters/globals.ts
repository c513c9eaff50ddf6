import type { RmapStrategy } from '@rmap-lab/core';
import type { ConformanceOptions } from '../run.js';
import { defineTests, type Runner } from './define.js';

/** Mocha gives each test a context, in which alone it can be given more time. */
interface Context {
  timeout?(milliseconds: number): void;
}

/** What such runners put into the global scope. */
interface Globals extends Pick<Runner, 'describe'> {
  it(name: string, body: () => void): void;
  /** A test that is shown and not run; where there is none it is left out. */
  xit(name: string, body: () => void): void;
}

/**
 * Defines the suite's cases as tests of a runner with global `describe` and `it`: mocha, jest, jasmine.
 * @throws TypeError where there is no such runner
 */
export function conformance(strategy: RmapStrategy, options?: ConformanceOptions): void {
  const { describe, it, xit } = globalThis as unknown as Partial<Globals>;
  if (describe === undefined || it === undefined)
    throw new TypeError(
      "there is no global 'describe' and 'it': run this file with mocha or jest, or import the adapter of another runner",
    );
  const patient: Runner['it'] = (name, body, milliseconds) =>
    it(name, function (this: Context | undefined) {
      this?.timeout?.(milliseconds);
      body();
    });
  // biome-ignore lint/suspicious/noSkippedTests: what nothing can verify must not count as passed
  const skip = (name: string): void => xit?.(name, () => {});
  defineTests({ describe, it: patient, skip }, strategy, options);
}
