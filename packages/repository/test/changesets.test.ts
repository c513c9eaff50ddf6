import { readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import getReleasePlan from '@changesets/get-release-plan';
import { checkVersions } from '@rmap-lab/conformance-suite';
import { expect, test } from 'vitest';
import { copyManifests, setVersions } from './release.js';
import { published, root, scratch, write } from './workspace.js';

test('the pending changesets make a release plan of published packages only', async () => {
  const { releases } = await getReleasePlan(root);
  const names = published.map(({ manifest }) => manifest.name);
  for (const { name, type } of releases) if (type !== 'none') expect(names).toContain(name);
});

test('a published package that was never released is in a changeset', async () => {
  const { releases } = await getReleasePlan(root);
  const unreleased = published.filter(({ manifest }) => manifest.version === '0.0.0').map(({ manifest }) => manifest.name);
  expect(releases.filter(({ type }) => type !== 'none').map(({ name }) => name)).toEqual(expect.arrayContaining(unreleased));
});

/** The suite asks for core of its own minor version, and `create-rmap-strategy` for both as they were at its own last release. */
test.each([
  ['@rmap-lab/core', 'minor'],
  ['@rmap-lab/explorer', 'patch'],
])('a second release because of %s alone (%s) leaves packages that go together', { timeout: 60_000 }, async (name, type) => {
  const workspace = scratch();
  copyManifests(workspace);
  await setVersions(workspace);
  const first = versionsIn(workspace);
  write(workspace, { '.changeset/second.md': `---\n'${name}': ${type}\n---\n\nMore.\n` });
  await setVersions(workspace);
  const second = versionsIn(workspace);
  const { '@rmap-lab/conformance-suite': suite, '@rmap-lab/core': core } = second;
  expect(() => checkVersions({ name: 'any', contract: 1 }, { suite, core })).not.toThrow();
  expect(core).not.toBe(first['@rmap-lab/core']);
  expect(second).toEqual(Object.fromEntries(Object.keys(first).map((each) => [each, core])));
});

const versionsIn = (workspace: string): Readonly<Record<string, string>> =>
  Object.fromEntries(
    published.map(({ directory, manifest }) => {
      const path = join(workspace, relative(root, directory), 'package.json');
      return [manifest.name, (JSON.parse(readFileSync(path, 'utf8')) as { version: string }).version];
    }),
  );
