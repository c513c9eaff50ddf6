/** Neighbours resolve to their sources, so a test never sees a stale build. */
const conditions = ['@rmap-lab/source', 'module', 'node', 'import', 'default'];

/** What takes too long to be run for each change that mutation testing makes. */
const slow = process.env.STRYKER === '1' ? { exclude: ['test/shared.test.ts'] } : {};

/** The one vitest preset; `name` is what `--project` selects. */
export const preset = (name) => ({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    name,
    // Not the tests of projects that a test makes or runs.
    include: ['test/**/*.test.ts'],
    setupFiles: ['@rmap-lab/config/quiet'],
    // Some tests run whole commands, on machines with two busy cores.
    testTimeout: 60_000,
    ...slow,
  },
});
