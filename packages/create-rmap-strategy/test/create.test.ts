import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runConformance } from '@rmap-lab/conformance-suite';
import type { RmapStrategy } from '@rmap-lab/core';
import { afterAll, describe, expect, it } from 'vitest';
import { CannotCreate, createProject, TEMPLATES, type Template } from '../src/index.js';
import { myStrategy as scanAll } from '../template/scan-all/src/strategy.js';
import { myStrategy as skeleton } from '../template/skeleton/src/strategy.js';

const scratch = mkdtempSync(join(tmpdir(), 'create-rmap-strategy-'));
afterAll(() => rmSync(scratch, { recursive: true }));
const folder = (name: string): string => join(scratch, name);
const make = (directory: string, name: string, template: Template = 'skeleton'): void =>
  createProject({ directory, name, description: 'Of mine.', template });
const read = (...path: string[]): string => readFileSync(folder(join(...path)), 'utf8');

describe('createProject', () => {
  it.each(Object.keys(TEMPLATES) as Template[])('writes a package from %s', (template) => {
    make(folder(template), '@team/find-it', template);
    expect(readdirSync(folder(template)).sort()).toEqual([
      '.changeset',
      '.gitignore',
      'LICENSE',
      'README.md',
      'package.json',
      'src',
      'test',
      'tsconfig.json',
      'tsup.config.ts',
      'typedoc.json',
      'vitest.config.ts',
    ]);
    expect(JSON.parse(read(template, 'package.json'))).toMatchObject({
      name: '@team/find-it',
      description: 'Of mine.',
      keywords: expect.arrayContaining(['rmap-strategy']),
      files: ['dist'],
    });
    expect(read(template, 'src/strategy.ts')).toContain("name: 'find-it'");
    expect(read(template, 'src/index.ts')).toBe("export { findIt } from './strategy.js';\n");
    expect(read(template, '.changeset/first-release.md')).toContain("'@team/find-it': minor");
    for (const file of ['README.md', 'LICENSE', 'src/strategy.ts', 'test/conformance.test.ts'])
      expect(read(template, file)).not.toMatch(/my-package|my-?strategy|My description|THIS YEAR/i);
    expect(read(template, 'test/conformance.test.ts').split('\n').length).toBeLessThanOrEqual(11);
  });

  it.each([
    ['class', 'classDesign'],
    ['2026-rmap', 'design2026Rmap'],
    ['define-strategy', 'defineStrategyDesign'],
    ['conformance', 'conformanceDesign'],
    ['kernel', 'kernelDesign'],
    ['a.b_c', 'aBC'],
  ])('finds a name for the function of %s', (name, expected) => {
    make(folder(`named-${name}`), name);
    expect(read(`named-${name}`, 'src/index.ts')).toContain(`{ ${expected} }`);
  });

  it.each(['', 'My-Design', 'a b', '../up', 'node_modules', '.hidden', '@/x', 'fs'])('refuses the name %j', (name) => {
    expect(() => make(folder('unnamed'), name)).toThrow(CannotCreate);
    expect(() => readdirSync(folder('unnamed'))).toThrow(/ENOENT/);
  });

  it.each([
    ['anon-vma', /rmap-lab means a design/],
    ['cow-context', /rmap-lab means a design/],
    ['vitest', /a package that it would need/],
    ['@rmap-lab/core', /a package that it would need/],
  ])('refuses the name %j, which is taken', (name, message) => {
    expect(() => make(folder('unnamed'), name)).toThrow(message);
    expect(() => readdirSync(folder('unnamed'))).toThrow(/ENOENT/);
    make(folder(`own-${name.replace(/.*\//, '')}`), `@team/${name.replace(/.*\//, '')}`);
  });

  it.each(['@team/-', '@a/_', '@a/~'])('refuses the name %j, in which nothing can name a function', (name) => {
    expect(() => make(folder('unnamed'), name)).toThrow(CannotCreate);
    expect(() => readdirSync(folder('unnamed'))).toThrow(/ENOENT/);
  });

  it('says of a folder in which no file can be written that it is so', () => {
    // There is room for the folder's path and none for that of a file in it: this holds for root too, who may write anywhere.
    const deep = folder(`${'deep/'.repeat(1000)}`).slice(0, 4090);
    expect(() => make(deep, 'deep')).toThrow(CannotCreate);
    expect(() => make(deep, 'deep')).toThrow(/can't be written \(ENAMETOOLONG/);
  });

  it('overwrites nothing', () => {
    mkdirSync(folder('full'));
    writeFileSync(join(folder('full'), 'notes.txt'), 'mine');
    expect(() => make(folder('full'), 'full')).toThrow(/full is not empty \(notes\.txt\)/);
    expect(readdirSync(folder('full'))).toEqual(['notes.txt']);
    writeFileSync(folder('file'), '');
    expect(() => make(folder('file'), 'file')).toThrow(/is a file/);
    expect(() => make(join(folder('file'), 'below'), 'below')).toThrow(CannotCreate);
  });

  it('takes an empty folder, and one that is only a repository yet', () => {
    const index = join(folder('cloned'), '.git/index');
    const bytes = Buffer.from('DIRC\xff my-package', 'latin1');
    mkdirSync(join(folder('cloned'), '.git'), { recursive: true });
    writeFileSync(index, bytes);
    make(folder('cloned'), 'cloned');
    expect(readdirSync(folder('cloned'))).toContain('package.json');
    expect(readFileSync(index)).toEqual(bytes);
  });

  it('fills in names below a folder called like a bare repository', () => {
    make(folder('bare.git/design'), 'design');
    expect(read('bare.git/design', 'src/index.ts')).toBe("export { design } from './strategy.js';\n");
  });
});

describe('create-rmap-strategy', () => {
  const main = fileURLToPath(new URL('../dist/main.js', import.meta.url));
  const command = (...args: string[]) =>
    spawnSync(process.execPath, [main, ...args], { cwd: scratch, env: { ...process.env, INIT_CWD: scratch }, encoding: 'utf8' });

  it('writes the package and says what comes next', () => {
    const { status, stdout } = command('by-command', '--template', 'scan-all', '--description', 'Everywhere.');
    expect([status, stdout]).toEqual([0, expect.stringMatching(/cd by-command\n {2}npm install\n {2}npm test/)]);
    expect(JSON.parse(read('by-command', 'package.json'))).toMatchObject({ name: 'by-command', description: 'Everywhere.' });
    expect(command('@team/scoped').status).toBe(0);
    expect(JSON.parse(read('scoped', 'package.json'))).toMatchObject({ name: '@team/scoped' });
  });

  it('says how to go to a folder with a space or a quote', () => {
    expect(command('a b', '--name', 'spaced').stdout).toContain("  cd 'a b'\n");
    expect(command("it's", '--name', 'quoted').stdout).toContain("  cd 'it'\\''s'\n");
  });

  it.each([
    [['by-command'], /not empty/],
    [['Bad_Name'], /can't be the name of a package.*like my-design/],
    [[], /say where: npm create rmap-strategy my-design/],
    [['x', '--template', 'y'], /skeleton, scan-all/],
  ])('answers 2 for %j, with a reason', (args, reason) => {
    expect(command(...args)).toMatchObject({ status: 2, stderr: expect.stringMatching(reason) });
  });
});

describe('what a new package starts from', () => {
  const failed = (strategy: RmapStrategy, options: Parameters<typeof runConformance>[1]): string[] =>
    runConformance(strategy, options).results.flatMap(({ id, outcome }) =>
      outcome === 'passed' || outcome === 'unverified' ? [] : [id],
    );

  // The other levels are run on a packed one: packages/repository/test/tarballs.test.ts.
  it('scan-all finds everything, also without memory and concurrently, and does not scale', () => {
    expect(failed(scanAll(), { levels: ['failure', 'random'] })).toEqual([]);
    expect(failed(scanAll(), { levels: ['concurrency'], grep: '-x-walk' })).toEqual([]);
    expect(failed(scanAll(), { levels: ['scale'] })).toContain('scale/strangers');
  });

  it('the skeleton works for one process that leaves its memory as it is, and says by rule what is missed beyond', () => {
    expect(failed(skeleton(), { grep: 'one-address-space/first' })).toEqual([]);
    const { results } = runConformance(skeleton(), { grep: 'families/fork' });
    expect(results[0]).toMatchObject({
      outcome: 'failed',
      broken: expect.stringMatching(/^R17: .*every VMA that maps the folio/),
    });
    expect(results[0].code).toContain("op: 'fork'");
  });
});
