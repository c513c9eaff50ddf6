import { configDefaults } from 'vitest/config';

/** Neighbours resolve to their sources, so a test never sees a stale build. */
const conditions = ['@rmap-lab/source', 'module', 'node', 'import', 'default'];

const mutating = process.env.STRYKER === '1';
/** What takes too long to be run for each change that mutation testing makes. */
const slow = mutating ? ['test/shared.test.ts'] : [];

/**
 * The one vitest preset; `name` is what `--project` selects. Tests that touch nothing outside their own objects need not be isolated:
 * one process then runs file after file with code that is compiled already. Code that was changed on purpose may leave anything.
 */
export const preset = (name, { isolate = true } = {}) => ({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    name,
    isolate: isolate || mutating,
    // Projects that a test makes or runs have tests of their own.
    exclude: [...configDefaults.exclude, 'test/fixtures/**', 'template/**', ...slow],
    setupFiles: ['@rmap-lab/config/quiet'],
    // Some tests run whole commands, on machines with two busy cores.
    testTimeout: 60_000,
  },
});
