import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import ts from 'typescript';
import { expect, test } from 'vitest';
import { readmes } from './examples.js';
import { published, root, scratch, write } from './workspace.js';

const { packageManager } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

test('the packed packages install into an empty project, where the README examples and commands run', {
  timeout: 120_000,
}, async () => {
  const tarballs = scratch();
  const filters = published.map(({ manifest }) => `--filter=${manifest.name}`);
  await execa({ cwd: root })`npx --yes ${packageManager} ${filters} --recursive pack --pack-destination ${tarballs}`;
  const names = readdirSync(tarballs).map((name) => join(tarballs, name));
  expect(names).toHaveLength(published.length);

  const project = scratch();
  write(project, { 'package.json': '{ "type": "module", "private": true }' });
  await execa({ cwd: project })`npm install --ignore-scripts --prefer-offline --no-audit --no-fund ${names}`;

  const run = execa({ cwd: project, preferLocal: true, localDir: project });
  const compilerOptions = { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext };
  for (const program of readmes.flatMap(({ programs }) => programs)) {
    await run({ input: ts.transpileModule(program, { compilerOptions }).outputText })`node --input-type=module`;
  }
  for (const command of published.flatMap(({ manifest }) => Object.keys(manifest.bin ?? {}))) await run`${command} --help`;
});
