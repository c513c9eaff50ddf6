import { join } from 'node:path';
import { CannotCreate, createProject } from 'create-rmap-strategy';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { root, scratch } from './workspace.js';

test('no package can be made by a name that rmap-lab means another design by', { timeout: 60_000 }, async () => {
  const directory = scratch();
  const rmapLab = execa({ cwd: directory, preferLocal: true, localDir: join(root, 'packages/repository') });
  const { stdout } = await rmapLab`tsx --conditions=@rmap-lab/source ${join(root, 'apps/cli/src/main.ts')} strategies --json`;
  const listed = JSON.parse(stdout) as { name: string; where: string | null }[];
  const comeAlong = listed.filter(({ where }) => where === null).map(({ name }) => name);
  expect(comeAlong).toContain('anon-vma');
  for (const name of comeAlong) {
    const make = (): void =>
      createProject({ directory: join(directory, name), name, description: 'A design.', template: 'skeleton' });
    expect(make, name).toThrow(CannotCreate);
    expect(make, name).toThrow(/rmap-lab means a design by it/);
  }
});
