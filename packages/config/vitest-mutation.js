import { preset } from './vitest.js';

/** Tests that mutants are run against: all of the package but those that take long, and the suite up to where chance and schedules begin. */
export const mutation = (name) => {
  const { test, ...rest } = preset(name);
  return {
    ...rest,
    test: { ...test, include: ['test/**/*.{test,mutation}.ts'], exclude: ['test/conformance.test.ts', 'test/shared.test.ts'] },
  };
};
