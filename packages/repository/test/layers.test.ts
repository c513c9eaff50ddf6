import { join } from 'node:path';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { link, root, scratch, write } from './workspace.js';

/** A workspace of the architecture's shape, in which these files follow the rules... */
const lawful = {
  'packages/core/src/index.ts': "export * from './machine.js';",
  'packages/core/src/machine.ts':
    "import './internal/bits.js'; import type { Mm } from './mm.js'; export interface Machine { mm: Mm }",
  'packages/core/src/mm.ts': "import type { Machine } from './machine.js'; export interface Mm { machine: Machine }",
  'packages/core/src/internal/bits.ts': 'export {};',
  'packages/workloads/src/index.ts': "import '@rmap-lab/core';",
  'packages/workloads/test/replay.test.ts': "import '@rmap-lab/strategy-anon-vma';",
  'packages/explorer/src/index.ts': "import '@rmap-lab/core'; import '@rmap-lab/plumbing';",
  'packages/plumbing/src/index.ts': 'export {};',
  'packages/experiments/src/index.ts': "import '@rmap-lab/workloads';",
  'packages/strategy-anon-vma/src/index.ts': "import '@rmap-lab/core';",
  'packages/strategy-anon-vma-lazy/src/index.ts': "import '@rmap-lab/strategy-anon-vma';",
  'packages/strategy-cow-context/src/index.ts': "import '@rmap-lab/core';",
  'apps/cli/src/index.ts': "import '@rmap-lab/strategy-anon-vma'; import '@rmap-lab/workloads'; import '@rmap-lab/core';",
  'apps/bench/src/index.ts': "import '@rmap-lab/core';",
};

/** ... and each of these breaks the one named. */
const violations: readonly [rule: string, path: string, text: string][] = [
  ['lower-layers-only', 'packages/core/src/upwards.ts', "import '@rmap-lab/workloads';"],
  ['lower-layers-only', 'packages/core/src/node.ts', "import '@rmap-lab/plumbing';"],
  ['lower-layers-only', 'packages/explorer/src/sideways.ts', "import type {} from '@rmap-lab/workloads';"],
  ['apps-on-top', 'apps/bench/src/app.ts', "import '@rmap-lab/cli';"],
  ['strategies-unknown', 'packages/experiments/src/by-name.ts', "await import('@rmap-lab/strategy-anon-vma');"],
  ['strategies-apart', 'packages/strategy-anon-vma/src/replays.ts', "import '@rmap-lab/workloads';"],
  ['strategies-apart', 'packages/strategy-anon-vma-lazy/src/other.ts', "import '@rmap-lab/strategy-cow-context';"],
  ['strategies-apart', 'packages/strategy-cow-context/src/other.ts', "import '@rmap-lab/strategy-anon-vma';"],
  ['by-package-name', 'packages/workloads/src/deep.ts', "import '../../core/src/mm.js';"],
  ['internal', 'packages/core/test/bits.test.ts', "import '../src/internal/bits.js';"],
  ['internal', 'packages/report/src/index.ts', "export * from './internal/svg.js';"],
  ['no-cycles', 'packages/core/src/ring.ts', "import './turn.js';"],
  ['resolvable', 'packages/core/src/nowhere.ts', "import './missing.js';"],
];

test('the dependency rules catch every kind of violation and nothing else', { timeout: 60_000 }, async () => {
  const directory = scratch();
  const broken = Object.fromEntries(violations.map(([, path, text]) => [path, text]));
  const helpers = { 'packages/core/src/turn.ts': "import './ring.js';", 'packages/report/src/internal/svg.ts': 'export {};' };
  const files = { ...lawful, ...helpers, ...broken };
  const rooms = new Set(Object.keys(files).map((path) => path.split('/', 2).join('/')));
  const names = [...rooms].map((room) => [room, `@rmap-lab/${room.split('/')[1]}`]);
  const exports = { '.': { '@rmap-lab/source': './src/index.ts', default: './dist/index.js' } };
  write(directory, files);
  for (const [room, name] of names) write(directory, { [`${room}/package.json`]: JSON.stringify({ name, exports }) });
  link(directory, Object.fromEntries(names.map(([room, name]) => [name, join(directory, room)])));

  const config = join(root, 'packages/config/layers.js');
  const depcruise = execa({ cwd: directory, preferLocal: true, localDir: root, reject: false });
  const { stdout } = await depcruise`depcruise --config ${config} --output-type json packages apps`;
  const found = (JSON.parse(stdout).summary.violations as { rule: { name: string }; from: string }[])
    .filter(({ from }) => !(from in helpers))
    .map(({ rule, from }) => `${rule.name}: ${from}`);
  expect(found.sort()).toEqual(violations.map(([rule, path]) => `${rule}: ${path}`).sort());
});
