import { join } from 'node:path';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { readmes } from './examples.js';
import { link, packages, published, root, scratch, write } from './workspace.js';

const repository = join(root, 'packages/repository');

/** An empty project in which the sources of every package can be imported by name. */
function project(): string {
  const directory = scratch();
  link(directory, Object.fromEntries(packages.map((each) => [each.manifest.name, each.directory])));
  link(directory, { '@types/node': join(root, 'node_modules/@types/node') });
  write(directory, {
    'package.json': '{ "type": "module" }',
    'tsconfig.json': JSON.stringify({ extends: '@rmap-lab/config/tsconfig.json', include: ['**/*.ts'] }),
  });
  return directory;
}

test.each(packages.map(({ manifest }) => manifest.name))('%s has a README', (name) => {
  expect(readmes.map(({ of }) => of)).toContain(name);
});

test.each(published.map(({ manifest }) => manifest))('the README of $name has an example', ({ name, exports }) => {
  const readme = readmes.find(({ of }) => of === name);
  expect(exports?.['.'] ? readme?.programs : readme?.commands).not.toHaveLength(0);
});

test('the TypeScript examples of the READMEs pass the compiler', { timeout: 120_000 }, async () => {
  const directory = project();
  write(directory, Object.fromEntries(readmes.flatMap(programFiles)));
  const { stdout } = await execa({ cwd: directory, preferLocal: true, localDir: repository, reject: false })`typecheck`;
  expect(stdout).toBe('');
});

/** Those of published packages run from tarballs. */
const unpublished = readmes.filter(({ isPrivate, programs }) => isPrivate && programs.length > 0);

test.each(unpublished)('the examples in the README of $of run from source', { timeout: 60_000 }, async (readme) => {
  const directory = project();
  const $ = execa({ cwd: directory, preferLocal: true, localDir: repository });
  const files = programFiles(readme);
  write(directory, Object.fromEntries(files));
  for (const [file] of files) await $`tsx --conditions=@rmap-lab/source ${file}`;
});

function programFiles({ of, programs }: (typeof readmes)[number]): [file: string, text: string][] {
  return programs.map((text, at) => [`${of}/example-${at + 1}.ts`, text]);
}
