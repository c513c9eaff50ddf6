/** Neighbours resolve to their sources, so a test never sees a stale build. */
const conditions = ['@rmap-lab/source', 'module', 'node', 'import', 'default'];

/** The one vitest preset; `name` is what `--project` selects. */
export const preset = (name) => ({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: { name, setupFiles: ['@rmap-lab/config/quiet'] },
});
