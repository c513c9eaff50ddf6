import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { StrategyLoadError } from './errors.js';

/** The keyword in its package.json by which a strategy package is found. */
export const STRATEGY_KEYWORD = 'rmap-strategy';

/** A package that says it is a strategy. */
export interface StrategyPackage {
  readonly name: string;
  readonly version: string;
  readonly directory: string;
}

interface Manifest {
  readonly name?: string;
  readonly version?: string;
  readonly keywords?: readonly string[];
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

/**
 * The packages with the keyword `rmap-strategy` that a program in `from` could import, by name: those of every `node_modules` folder
 * from there upwards, and the package that `from` itself lies in. Nothing of them is run.
 */
export function findStrategyPackages(from = process.cwd()): readonly StrategyPackage[] {
  const found = new Map<string, StrategyPackage>();
  const look = (directory: string): void => {
    const { name, version, keywords } = manifestIn(directory) ?? {};
    if (name === undefined || found.has(name) || !Array.isArray(keywords) || !keywords.includes(STRATEGY_KEYWORD)) return;
    found.set(name, { name, version: version ?? 'no version', directory });
  };
  for (const directory of upwards(from)) {
    look(directory);
    for (const installed of installedIn(join(directory, 'node_modules'))) look(installed);
  }
  return [...found.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Whether the package of a module is made for this core. A file outside any package, or one that doesn't say, is let through. @throws StrategyLoadError */
export async function checkCoreVersion(strategy: string, moduleUrl: string): Promise<void> {
  if (!moduleUrl.startsWith('file:')) return;
  const manifest = upwards(dirname(fileURLToPath(moduleUrl)))
    .map(manifestIn)
    .find((each) => each?.name !== undefined);
  const range = manifest?.peerDependencies?.['@rmap-lab/core'] ?? manifest?.dependencies?.['@rmap-lab/core'];
  // A tarball, a link or a workspace has no range: it is whatever it is.
  if (range === undefined) return;
  // Loading it takes a tenth of the time in which a command starts.
  const { satisfies, validRange } = await import('semver');
  if (validRange(range) === null) return;
  const here = manifestIn(fileURLToPath(new URL('..', import.meta.url)))?.version ?? '0.0.0';
  if (satisfies(here, range, { includePrerelease: true })) return;
  throw new StrategyLoadError(
    strategy,
    `a package for @rmap-lab/core ${range}`,
    `one for ${here}: install the version of ${manifest?.name} that is made for @rmap-lab/core ${here}, or @rmap-lab/core ${range} and what goes with it`,
  );
}

/** `directory` and those above it. */
function upwards(directory: string): readonly string[] {
  const above = dirname(directory);
  return above === directory ? [directory] : [directory, ...upwards(above)];
}

/** Folders of the packages in a `node_modules`, those of a scope included. */
function installedIn(modules: string): readonly string[] {
  return entries(modules).flatMap((name) => {
    const directory = join(modules, name);
    return name.startsWith('@') ? entries(directory).map((inner) => join(directory, inner)) : directory;
  });
}

const entries = (directory: string): readonly string[] =>
  existsSync(directory) ? readdirSync(directory).filter((name) => !name.startsWith('.')) : [];

/** null: there is none that can be read. */
function manifestIn(directory: string): Manifest | null {
  try {
    return JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8')) as Manifest | null;
  } catch {
    return null;
  }
}
