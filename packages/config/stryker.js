/**
 * The one preset of mutation testing (StrykerJS): one change of a package's source at a time, and do its tests notice? Reports and what the
 * next run need not repeat go below `.stryker` at the top of the clone.
 */
export const preset = (name) => ({
  testRunner: 'vitest',
  plugins: ['@stryker-mutator/vitest-runner'],
  coverageAnalysis: 'perTest',
  mutate: ['src/**/*.ts', '!src/index.ts', '!src/parts.ts', '!src/inspect.ts'],
  concurrency: Number(process.env.STRYKER_WORKERS ?? 1),
  incremental: true,
  incrementalFile: `../../.stryker/${name}/incremental.json`,
  reporters: ['progress-append-only', 'clear-text', 'json', 'html'],
  clearTextReporter: { logTests: false, allowColor: false },
  jsonReporter: { fileName: `../../.stryker/${name}/report.json` },
  htmlReporter: { fileName: `../../.stryker/${name}/report.html` },
  tempDirName: '.stryker-tmp',
  ignoreStatic: true,
  // Beside the time that the tests take: most of what does not end does so in the first of them.
  timeoutMS: 5_000,
  timeoutFactor: 1.2,
  vitest: { configFile: 'vitest.config.ts' },
});
