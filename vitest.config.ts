import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    // The default leaves one core of two idle.
    maxWorkers: '100%',
    projects: ['packages/*/vitest.config.ts', 'apps/*/vitest.config.ts'],
    // `npm run coverage`: which branch of the model no test reaches.
    coverage: {
      include: ['packages/core/src/**', 'packages/strategy-anon-vma/src/**'],
      reporter: ['text', 'html'],
      reportsDirectory: 'coverage',
    },
  },
});
