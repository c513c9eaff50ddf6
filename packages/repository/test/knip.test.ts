import { join } from 'node:path';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { link, root, scratch, write } from './workspace.js';

test('knip finds unused files, exports and dependencies in a workspace of this shape', { timeout: 60_000 }, async () => {
  const directory = scratch();
  const source = (exports: string) => ({ '.': { [exports]: './src/index.ts', default: './dist/index.js' } });
  write(directory, {
    'package.json': JSON.stringify({ name: 'top', private: true }),
    'pnpm-workspace.yaml': 'packages: [packages/*]',
    'packages/core/package.json': JSON.stringify({ name: '@rmap-lab/core', exports: source('@rmap-lab/source') }),
    'packages/core/src/index.ts': "export { used } from './used.js';",
    'packages/core/src/used.ts': 'export const used = 1;\nexport const idle = 2;',
    'packages/core/src/orphan.ts': 'export {};',
    'packages/user/package.json': JSON.stringify({
      name: '@rmap-lab/user',
      exports: source('@rmap-lab/source'),
      dependencies: { '@rmap-lab/core': 'workspace:^', zod: '1.0.0' },
    }),
    'packages/user/src/index.ts': "export { used } from '@rmap-lab/core';",
  });
  link(directory, { '@rmap-lab/core': join(directory, 'packages/core') });

  const { stdout, exitCode } = await execa({
    cwd: directory,
    preferLocal: true,
    localDir: root,
    reject: false,
  })`knip --no-progress`;
  expect(exitCode).toBe(1);
  expect(stdout.match(/^(?:Unused .*|\S+)/gm)).toEqual([
    'Unused files (1)',
    'packages/core/src/orphan.ts',
    'Unused dependencies (1)',
    'zod',
    'Unused exports (1)',
    'idle',
  ]);
});
