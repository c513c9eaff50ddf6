import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

/** The top of the clone. */
export const root = fileURLToPath(new URL('../../..', import.meta.url));

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly private?: boolean;
  readonly bin?: Readonly<Record<string, string>>;
  readonly exports?: Readonly<Record<string, unknown>>;
}

export interface Package {
  readonly directory: string;
  readonly manifest: Manifest;
}

/** Every package of the workspace, by folder. */
export const packages: readonly Package[] = ['packages', 'apps']
  .flatMap((group) => readdirSync(join(root, group)).map((name) => join(root, group, name)))
  .filter((directory) => existsSync(join(directory, 'package.json')))
  .map((directory) => ({ directory, manifest: JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8')) }));

/** Those that go to the registry. */
export const published = packages.filter(({ manifest }) => !manifest.private);

/** An empty folder that lives as long as the running test. */
export function scratch(): string {
  const directory = mkdtempSync(join(tmpdir(), 'rmap-lab-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  return directory;
}

/** Writes `files` (path to contents) below `directory`. */
export function write(directory: string, files: Readonly<Record<string, string>>): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), text);
  }
}

/** Makes packages importable from `directory` by name, as an installation would. */
export function link(directory: string, targets: Readonly<Record<string, string>>): void {
  for (const [name, target] of Object.entries(targets)) {
    const path = join(directory, 'node_modules', name);
    mkdirSync(dirname(path), { recursive: true });
    symlinkSync(target, path, 'dir');
  }
}
