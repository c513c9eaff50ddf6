/** Nothing that runs here needs declarations, which take four fifths of the time of a build: the script `types` makes them, and only them. */
const types = process.env.TYPES === '1';

/** The one tsup preset: ESM for Node 20. */
export const preset = {
  entry: ['src/index.ts'],
  format: ['esm'],
  target: 'node20',
  sourcemap: true,
  clean: types || ['!**/*.d.ts'],
  // TypeScript 6 rejects the `baseUrl` that tsup 8 injects for its declaration build; types are checked by `typecheck`.
  dts: types && { only: true, compilerOptions: { ignoreDeprecations: '6.0', noCheck: true } },
};
