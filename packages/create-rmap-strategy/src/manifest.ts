import { readFileSync } from 'node:fs';

/** Versions that go together, as all are released at once: packing writes them into this package's own manifest. */
const { devDependencies: versions } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  devDependencies: Readonly<Record<string, string>>;
};

const CORE = '@rmap-lab/core';
const TOOLS = ['@changesets/cli', '@rmap-lab/cli', '@rmap-lab/conformance-suite', 'tsup', 'typedoc', 'typescript', 'vitest'];

/** Whether a new package depends on one of this name, which npm would not install into it. */
export const isNeeded = (name: string): boolean => name === CORE || TOOLS.includes(name);

/** The package.json of a new strategy package. */
export function manifestOf(name: string, description: string): object {
  return {
    name,
    version: '0.0.0',
    description,
    license: 'MIT',
    // By `rmap-strategy` the package is found: see `rmap-lab strategies`.
    keywords: ['rmap-strategy', 'rmap', 'linux'],
    type: 'module',
    sideEffects: false,
    engines: { node: '>=20.19' },
    exports: { '.': { types: './dist/index.d.ts', default: './dist/index.js' }, './package.json': './package.json' },
    files: ['dist'],
    publishConfig: { access: 'public' },
    scripts: {
      build: 'tsup',
      typecheck: 'tsc',
      test: 'vitest run',
      conformance: `npm run -s build -- --silent && rmap-conformance ${name}`,
      compare: `npm run -s build -- --silent && rmap-lab compare --strategy ${name} --strategy anon-vma --workload shell-pipeline`,
      docs: 'typedoc',
      changeset: 'changeset',
      release: 'npm run typecheck && npm test && npm run build && changeset publish',
      prepack: 'npm run -s build',
    },
    dependencies: { [CORE]: versions[CORE] },
    devDependencies: Object.fromEntries(TOOLS.map((tool) => [tool, versions[tool]])),
  };
}
