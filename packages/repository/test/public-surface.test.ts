import { existsSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import ts from 'typescript';
import { expect, test } from 'vitest';
import { packages, published, root } from './workspace.js';

const indexes = packages.map(({ directory }) => join(directory, 'src/index.ts')).filter((path) => existsSync(path));

test.each(indexes.map((path) => relative(root, path)))('%s re-exports and does nothing else', (path) => {
  const file = ts.createSourceFile(path, readFileSync(join(root, path), 'utf8'), ts.ScriptTarget.ESNext);
  const others = file.statements.filter((statement) => !ts.isExportDeclaration(statement));
  expect(others.map((statement) => statement.getText(file))).toEqual([]);
});

test.each(published.map(({ manifest, directory }) => [manifest.name, directory] as const))(
  '%s has a licence, a README and no version but a released one',
  (name, directory) => {
    const manifest = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8'));
    expect(manifest).toMatchObject({
      name,
      license: 'MIT',
      type: 'module',
      sideEffects: false,
      publishConfig: { access: 'public' },
    });
    for (const file of ['LICENSE', 'README.md']) expect(existsSync(join(directory, file)), file).toBe(true);
  },
);

test('the lockfile names no registry', () => {
  expect(readFileSync(join(root, 'pnpm-lock.yaml'), 'utf8')).not.toMatch(/https?:|tarball:/);
});
