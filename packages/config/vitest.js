/** Neighbours resolve to their sources, so a test never sees a stale build. */
const conditions = ['@rmap-lab/source', 'module', 'node', 'import', 'default'];

/** What takes too long to be run for each change that mutation testing makes. */
const slow = process.env.STRYKER === '1' ? { exclude: ['test/shared.test.ts'] } : {};

/** The one vitest preset; `name` is what `--project` selects. */
export const preset = (name) => ({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  // Some tests run whole commands, on machines with two busy cores.
  test: { name, setupFiles: ['@rmap-lab/config/quiet'], testTimeout: 60_000, ...slow },
});
