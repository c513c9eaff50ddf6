import { defineConfig } from 'tsup';

export default defineConfig({
  entry: ['src/index.ts'],
  format: ['esm'],
  target: 'node20',
  sourcemap: true,
  clean: true,
  // TypeScript 6 rejects the `baseUrl` that tsup 8 sets for its declaration build.
  dts: { compilerOptions: { ignoreDeprecations: '6.0' } },
});
