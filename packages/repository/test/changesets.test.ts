import getReleasePlan from '@changesets/get-release-plan';
import { expect, test } from 'vitest';
import { published, root } from './workspace.js';

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
