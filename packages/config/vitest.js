/** The one vitest preset: neighbours resolve to their sources, so a test never sees a stale build. */
const conditions = ['@rmap-lab/source', 'module', 'node', 'import', 'default'];
export const preset = { resolve: { conditions }, ssr: { resolve: { conditions } } };
