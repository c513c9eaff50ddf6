import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { execa } from 'execa';
import { packages, root, write } from './workspace.js';

const { packageManager } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { packageManager: string };

/** Copies what a release is made of: manifests, builds, changesets; no sources of tests, nothing installed. */
export function copyWorkspace(to: string): void {
  const left = new Set(['node_modules', '.git', '.turbo', 'coverage', 'traces', 'examples']);
  cpSync(root, to, { recursive: true, filter: (path) => path === root || !left.has(basename(path)) });
  const traces = 'packages/workloads/traces';
  cpSync(join(root, traces), join(to, traces), { recursive: true });
}

/** Copies what versions are made of: manifests and changesets. */
export function copyManifests(to: string): void {
  const files = ['.changeset', 'package.json', 'pnpm-workspace.yaml'].map((name) => join(root, name));
  for (const file of [...files, ...packages.map(({ directory }) => join(directory, 'package.json'))]) {
    mkdirSync(dirname(join(to, relative(root, file))), { recursive: true });
    cpSync(file, join(to, relative(root, file)), { recursive: true });
  }
}

/** Takes the pending changesets into versions and changelogs. */
export async function setVersions(workspace: string): Promise<void> {
  await execa({ cwd: workspace, preferLocal: true, localDir: root })`changeset version`;
}

/** The same, and links the packages to each other (step 1 of docs/releasing.md). */
export async function version(workspace: string): Promise<void> {
  await setVersions(workspace);
  await execa({ cwd: workspace })`npx --yes ${packageManager} install --frozen-lockfile --prefer-offline --ignore-scripts`;
}

/** Packs packages by their names; the tarballs' paths. */
export async function pack(workspace: string, names: readonly string[], to: string): Promise<readonly string[]> {
  const filters = names.map((name) => `--filter=${name}`);
  await execa({ cwd: workspace })`npx --yes ${packageManager} ${filters} --recursive pack --pack-destination ${to}`;
  return readdirSync(to)
    .filter((name) => name.endsWith('.tgz'))
    .map((name) => join(to, name));
}

/** Unpacks tarballs side by side, as the members of one project; their folders. */
export async function unpack(tarballs: readonly string[], to: string): Promise<readonly string[]> {
  write(to, { 'package.json': JSON.stringify({ private: true, workspaces: ['*'] }) });
  return Promise.all(
    tarballs.map(async (tarball) => {
      const directory = join(to, basename(tarball, '.tgz'));
      mkdirSync(directory);
      await execa`tar -xzf ${tarball} -C ${directory} --strip-components=1`;
      return directory;
    }),
  );
}

/** Runs the packed `create-rmap-strategy`, with what it depends on from here. */
export async function generate(unpacked: readonly string[], from: string, args: readonly string[]): Promise<void> {
  const generator = unpacked.find((directory) => basename(directory).startsWith('create-rmap-strategy'))!;
  const modules = join(generator, 'node_modules');
  if (!readdirSync(generator).includes('node_modules'))
    symlinkSync(join(root, 'packages/create-rmap-strategy/node_modules'), modules, 'dir');
  await execa({ cwd: from, env: { INIT_CWD: from }, stdin: 'ignore' })`node ${join(generator, 'dist/main.js')} ${args}`;
}
