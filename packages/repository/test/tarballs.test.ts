import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { execa } from 'execa';
import ts from 'typescript';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readmes } from './examples.js';
import { copyWorkspace, generate, pack, unpack, version } from './release.js';
import { published, root, write } from './workspace.js';

/** The steps of a release, done to a copy; then two strangers, who have the tarballs and nothing else. */
const scratch = mkdtempSync(join(tmpdir(), 'rmap-lab-release-'));
const place = (name: string): string => join(scratch, name);
const project = place('outside/find-it');
const example = place('outside/strategy-page-list');
let unpacked: readonly string[];

beforeAll(async () => {
  copyWorkspace(place('workspace'));
  await version(place('workspace'));
  const names = published.map(({ manifest }) => manifest.name);
  const tarballs = await pack(place('workspace'), names, place('tarballs'));
  expect(tarballs).toHaveLength(published.length);
  unpacked = await unpack(tarballs, place('unpacked'));
  await generate(unpacked, scratch, ['outside/find-it', '--template', 'scan-all', '--description', 'Looks everywhere.']);
  await generate(unpacked, scratch, ['outside/skeleton', '--name', '@team/skeleton']);
  await execa({ cwd: project })`npm install --no-save --ignore-scripts --prefer-offline --no-audit --no-fund ${tarballs}`;
  cpSync(join(root, 'examples/strategy-page-list'), example, { recursive: true });
  for (const other of [example, place('outside/skeleton')])
    symlinkSync(join(project, 'node_modules'), join(other, 'node_modules'), 'dir');
  await Promise.all([project, example].map((cwd) => execa({ cwd })`npm run build`));
  symlinkSync(example, join(project, 'node_modules/rmap-strategy-page-list'), 'dir');
}, 300_000);
afterAll(() => rmSync(scratch, { recursive: true, force: true }), 60_000);

const run = (cwd: string) =>
  execa({ cwd, preferLocal: true, localDir: project, reject: false, env: { INIT_CWD: cwd, NO_COLOR: '1' } });
const json = (path: string) => JSON.parse(readFileSync(path, 'utf8'));
const filesIn = (directory: string): string[] =>
  readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1))
    .filter((path) => !path.startsWith('node_modules'));

describe('a release', () => {
  test('has every public package, with versions that go together, a changelog and no trace of the workspace', () => {
    for (const directory of unpacked) {
      const manifest = json(join(directory, 'package.json'));
      expect(manifest.version, manifest.name).not.toBe('0.0.0');
      expect(readFileSync(join(place('workspace'), folderOf(manifest.name), 'CHANGELOG.md'), 'utf8')).toContain(manifest.version);
      expect(JSON.stringify(manifest)).not.toMatch(/workspace:|catalog:|@rmap-lab\/source/);
      for (const [name, range] of Object.entries({ ...manifest.dependencies, ...manifest.peerDependencies }))
        if (name.startsWith('@rmap-lab/')) expect(range, `${manifest.name} needs ${name}`).toMatch(/^\^0\.[1-9]/);
    }
  });

  test('packs what users need and nothing else', () => {
    for (const directory of unpacked) {
      const files = filesIn(directory);
      expect(files, directory).toEqual(expect.arrayContaining(['LICENSE', 'README.md', 'package.json']));
      const manifest = json(join(directory, 'package.json'));
      for (const target of JSON.stringify([manifest.exports ?? {}, manifest.bin ?? {}]).match(/(?<=")(\.\/)?dist\/[^"]+/g) ?? [])
        expect(files, manifest.name).toContain(target.replace(/^\.\//, ''));
      if (manifest.exports?.['.']) expect(files.some((file) => file.endsWith('.d.ts'))).toBe(true);
      expect(
        files.filter((file) => /\.test\.|^test\/|tsconfig\.json$|\.tsbuildinfo$/.test(file) && !file.startsWith('template/')),
      ).toEqual([]);
      for (const file of files.filter((name) => /\.(js|ts|map|json|md)$/.test(name)))
        expect(
          readFileSync(join(directory, file), 'utf8').includes(root),
          `${manifest.name}: ${file} names this machine's folders`,
        ).toBe(false);
    }
  });

  test('declares the types of everything that can be imported', async () => {
    const entries = unpacked.flatMap((directory) => {
      const { name, exports } = json(join(directory, 'package.json'));
      return Object.keys(exports ?? {})
        .filter((key) => key !== './package.json')
        .map((key) => join(name, key));
    });
    expect(entries.length).toBeGreaterThan(published.length);
    write(project, {
      'entries/entries.ts': entries.map((entry, i) => `export * as e${i} from '${entry}';\n`).join(''),
      'entries/tsconfig.json': JSON.stringify({
        extends: '../tsconfig.json',
        compilerOptions: { skipLibCheck: false, types: ['node'] },
        include: ['.'],
      }),
    });
    // With all that they import it takes the compiler of the generated package a quarter of a minute.
    const ours = execa({ cwd: project, preferLocal: true, localDir: join(root, 'packages/repository'), reject: false });
    expect(await ours`typecheck -p entries`).toMatchObject({ exitCode: 0, stdout: '' });
  });

  test('would be published', async () => {
    const { stdout, stderr, exitCode } = await run(place('unpacked'))`npm publish --workspaces --dry-run --ignore-scripts --json`;
    expect(stderr).not.toMatch(/npm (error|ERR!)/);
    expect(exitCode).toBe(0);
    for (const { manifest } of published) expect(stdout).toContain(`"${manifest.name}@`);
  });

  test('runs the README examples and commands from the tarballs', { timeout: 300_000 }, async () => {
    const compilerOptions = { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext };
    for (const program of readmes.flatMap(({ isPrivate, programs }) => (isPrivate ? [] : programs))) {
      const { stderr, exitCode } = await run(project)({
        input: ts.transpileModule(program, { compilerOptions }).outputText,
      })`node --input-type=module`;
      expect([stderr, exitCode]).toEqual(['', 0]);
    }
    for (const command of readmes.flatMap(({ commands }) => commands))
      expect(await run(project)({ shell: true })`${command}`).toMatchObject({ exitCode: 0 });
    for (const command of published.flatMap(({ manifest }) => Object.keys(manifest.bin ?? {})))
      expect(await run(project)`${command} --help`).toMatchObject({ exitCode: 0 });
  });
});

describe('a stranger with a generated package', () => {
  const outcomes = async (cwd: string, name: string, levels: readonly string[]) => {
    const { stdout } = await run(cwd)`rmap-conformance ${name} --json --level ${levels}`;
    return JSON.parse(stdout).levels as Record<string, { passed: number; failed: number }>;
  };

  test('is asked to install packages of this release', () => {
    const { version } = json(join(place('workspace'), 'packages/core/package.json'));
    const { dependencies, devDependencies } = json(join(project, 'package.json'));
    const ours = Object.entries({ ...dependencies, ...devDependencies }).filter(([name]) => name.startsWith('@rmap-lab/'));
    expect(Object.fromEntries(ours)).toEqual({
      '@rmap-lab/core': `^${version}`,
      '@rmap-lab/conformance-suite': `^${version}`,
      '@rmap-lab/cli': `^${version}`,
    });
  });

  test('builds it, and it passes the compiler', async () => {
    expect(filesIn(join(project, 'dist')).sort()).toEqual(['index.d.ts', 'index.js', 'index.js.map']);
    expect(await run(project)`npm run typecheck`).toMatchObject({ exitCode: 0 });
  });

  test('finds everything with the simplest design, and sees that it does not scale', async () => {
    const levels = await outcomes(project, 'find-it', [
      'contract',
      'one-address-space',
      'families',
      'large-folios',
      'walkers',
      'scale',
    ]);
    for (const [level, { failed, passed }] of Object.entries(levels)) {
      expect(passed, level).toBeGreaterThan(0);
      if (level === 'scale') expect(failed).toBeGreaterThan(0);
      else expect(failed, level).toBe(0);
    }
  });

  test('is shown by the skeleton what there is to do', async () => {
    const { exitCode, stdout, stderr } = await run(place('outside/skeleton'))`npm test -- -t families/fork:`;
    expect(exitCode).toBe(1);
    expect(stdout + stderr).toMatch(/families\/fork: .*[\s\S]*every VMA that maps the folio[\s\S]*op: 'fork'/);
  });

  test('gets one document from its scripts, without what the build says', async () => {
    const { stdout } = await run(project)`npm run -s conformance -- --grep families/fork --json`;
    expect(JSON.parse(stdout)).toMatchObject({ schema: 'rmap-lab/conformance@1', strategy: 'find-it' });
  });

  test('compares it by name, also with what others have published', async () => {
    const names = ['find-it', 'rmap-strategy-page-list', 'anon-vma'].flatMap((name) => ['--strategy', name]);
    const { stdout, exitCode } = await run(project)`rmap-lab compare ${names} --workload shell-pipeline --json`;
    expect(exitCode).toBe(0);
    const { rows } = JSON.parse(stdout) as { rows: { strategy: string; failure: null; verify: { missed: number } }[] };
    expect(rows.map(({ strategy, failure, verify }) => [strategy, failure, verify.missed])).toEqual([
      ['find-it', null, 0],
      ['page-list', null, 0],
      ['anon-vma', null, 0],
    ]);
    const listed = JSON.parse((await run(project)`rmap-lab strategies --json`).stdout) as { name: string; error: null }[];
    expect(listed.filter(({ error }) => error !== null)).toEqual([]);
    expect(listed.map(({ name }) => name)).toEqual(expect.arrayContaining(['find-it', 'rmap-strategy-page-list']));
  });

  test('sets its version and could publish it', async () => {
    expect(await run(project)`changeset version`).toMatchObject({ exitCode: 0 });
    expect(json(join(project, 'package.json'))).toMatchObject({ version: '0.1.0' });
    const { stdout, exitCode } = await run(project)`npm publish --dry-run --json --ignore-scripts`;
    expect(exitCode).toBe(0);
    const published = JSON.parse(stdout.slice(stdout.indexOf('{'))) as Record<string, { files: { path: string }[] }>;
    expect(published['find-it'].files.map(({ path }) => path).sort()).toEqual(
      ['LICENSE', 'README.md', 'dist/index.d.ts', 'dist/index.js', 'dist/index.js.map', 'package.json'].sort(),
    );
  });
});

describe('the example, a list of places for each page', () => {
  test('passes the compiler and its own tests', async () => {
    expect(await run(example)`npm run typecheck`).toMatchObject({ exitCode: 0 });
    expect(await run(example)`vitest run test/page-list.test.ts`).toMatchObject({ exitCode: 0 });
  });

  test('conforms', { timeout: 300_000 }, async () => {
    const correctness = ['contract', 'one-address-space', 'families', 'large-folios', 'walkers', 'failure', 'random', 'scale'];
    const { stdout, exitCode } = await run(example)`rmap-conformance rmap-strategy-page-list --level ${correctness}`;
    expect(stdout).toContain('page-list conforms');
    expect(exitCode).toBe(0);
    const concurrent = await run(example)`rmap-conformance rmap-strategy-page-list --level concurrency --grep munmap-x-walk`;
    expect(concurrent.exitCode).toBe(0);
  });

  test('could be published', async () => {
    const { stdout, exitCode } = await run(example)`npm publish --dry-run --json --ignore-scripts`;
    expect([exitCode, stdout]).toEqual([0, expect.stringContaining('dist/index.d.ts')]);
  });
});

const folderOf = (name: string): string => {
  const { directory } = published.find(({ manifest }) => manifest.name === name)!;
  return join(basename(join(directory, '..')), basename(directory));
};
