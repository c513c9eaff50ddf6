/** The one tsup preset: ESM for Node 20 with declarations. */
export const preset = {
  entry: ['src/index.ts'],
  format: ['esm'],
  target: 'node20',
  sourcemap: true,
  clean: true,
  // TypeScript 6 rejects the `baseUrl` that tsup 8 injects for its declaration build; types are checked by `typecheck`.
  dts: { compilerOptions: { ignoreDeprecations: '6.0', noCheck: true } },
};
