import { statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { inspect } from 'node:util';
import { resolve as resolveModule } from 'import-meta-resolve';
import { messageOf, StrategyLoadError } from './errors.js';
import type { RmapStrategy } from './rmap/contract.js';
import { checkCoreVersion } from './strategy-package.js';

export { digestOf } from './module-digest.js';
export { findStrategyPackages, STRATEGY_KEYWORD, type StrategyPackage } from './strategy-package.js';

/** A strategy that was loaded by name. */
export interface LoadedStrategy {
  readonly strategy: RmapStrategy;
  readonly preset: string | null;
}

/** Modules by short name: `{ 'anon-vma': '@rmap-lab/strategy-anon-vma' }`, or their URLs. */
export type ShortNames = Readonly<Record<string, string>>;

/**
 * The strategy of a short name, a package, or a file; `name:preset` for one that its module lists in `presets`. Files and packages are
 * looked for from `from`. It is run as it is: where that may hang or end the program, load it in a thread or a process of its own.
 * @throws StrategyLoadError
 */
export async function loadStrategy(name: string, shortNames: ShortNames = {}, from = process.cwd()): Promise<LoadedStrategy> {
  const [moduleName, preset] = cut(name);
  const module = await importModule(moduleName, moduleOf(name, shortNames, from), shortNames);
  const values = preset === null ? [module.default, ...Object.values(module)] : [presetOf(name, module, preset)];
  for (const value of values) {
    const strategy =
      typeof value === 'function' && value.length === 0 && !isClass(value) ? tryMake(name, value as () => unknown) : value;
    if (looksLikeStrategy(strategy)) return { strategy: checked(name, strategy), preset };
  }
  throw new StrategyLoadError(
    name,
    `a module that exports ${Object.keys(module).join(', ') || 'nothing'}`,
    'a strategy, or a function without parameters that makes one',
  );
}

/** URL of the module that a name stands for, where there is one. */
export function moduleOf(name: string, shortNames: ShortNames = {}, from = process.cwd()): string {
  const [moduleName] = cut(name);
  return Object.hasOwn(shortNames, moduleName) ? shortNames[moduleName] : locate(moduleName, from);
}

/** Whether a name stands for a module that does not come along. */
export const isOutside = (name: string, shortNames: ShortNames): boolean => !Object.hasOwn(shortNames, cut(name)[0]);

/** What a thread prints from now on goes to standard error: standard output is for results, and a strategy may print what it likes. */
export function keepStdoutForResults(): void {
  process.stdout.write = process.stderr.write.bind(process.stderr);
}

/** `module:preset`; a file's drive or URL scheme is no preset. */
function cut(name: string): [string, string | null] {
  const match = /^(.{2,}):([\w-]+)$/.exec(name);
  return match === null ? [name, null] : [match[1], match[2]];
}

function presetOf(name: string, module: Record<string, unknown>, preset: string): unknown {
  const presets = (module.presets ?? {}) as Record<string, unknown>;
  if (Object.hasOwn(presets, preset)) return presets[preset];
  const known = Object.keys(presets);
  throw new StrategyLoadError(
    name,
    `a module without the preset '${preset}'`,
    known.length === 0 ? `'${cut(name)[0]}' alone, as it has no presets` : `one of its presets: ${known.join(', ')}`,
  );
}

async function importModule(name: string, url: string, shortNames: ShortNames): Promise<Record<string, unknown>> {
  if (isOutside(name, shortNames)) await checkCoreVersion(name, url);
  const nothing = absent(name, url);
  if (nothing !== null) throw nothing;
  try {
    return (await import(url)) as Record<string, unknown>;
  } catch (error) {
    const [reason] = messageOf(error)
      .replace(` imported from ${fileURLToPath(import.meta.url)}`, '')
      .split('\n');
    const short = Object.keys(shortNames).join(', ');
    const available = short === '' ? 'a package name or a file' : `one of ${short}, a package name, or a file`;
    throw new StrategyLoadError(name, `nothing that can be loaded (${reason})`, available);
  }
}

/** What is not there, or is a folder: the loader of modules says it in words that help nobody. */
function absent(name: string, url: string): StrategyLoadError | null {
  if (!url.startsWith('file:')) return null;
  const file = fileURLToPath(url);
  const what = statSync(file, { throwIfNoEntry: false });
  if (what?.isDirectory())
    return new StrategyLoadError(name, 'a folder', 'the file in it that exports the strategy, or a package name');
  if (what !== undefined) return null;
  return isPath(name)
    ? new StrategyLoadError(name, 'no such file', 'a file that exports a strategy')
    : new StrategyLoadError(name, `a package without the file ${file}`, 'one that is built: npm run build');
}

/** URL of a file or a package; a name that is neither stays as it is, for the import to say why. */
function locate(name: string, from: string): string {
  const file = fileOf(name, from);
  if (file !== null) return pathToFileURL(file).href;
  try {
    return resolveModule(name, pathToFileURL(join(from, 'strategy.js')).href);
  } catch {
    return name;
  }
}

function fileOf(name: string, from: string): string | null {
  const file = resolve(from, name);
  const isFile = isPath(name) && statSync(file, { throwIfNoEntry: false })?.isFile();
  return isFile ? file : null;
}

const isPath = (name: string): boolean => /[./\\]/.test(name) && !name.startsWith('@');

const isClass = (value: object): boolean => /^class\b/.test(Function.prototype.toString.call(value));

function tryMake(name: string, make: () => unknown): unknown {
  try {
    return make();
  } catch (error) {
    throw new StrategyLoadError(name, `a function that throws ${messageOf(error)}`, 'a function that makes a strategy');
  }
}

const looksLikeStrategy = (value: unknown): value is RmapStrategy =>
  typeof value === 'object' && value !== null && 'create' in value && 'contract' in value && 'locks' in value;

function checked(name: string, strategy: RmapStrategy): RmapStrategy {
  if (strategy.contract !== 1) {
    const install = 'install a version of the strategy for contract 1, or of @rmap-lab/core for that of the strategy';
    throw new StrategyLoadError(name, `contract ${inspect(strategy.contract)}`, `contract 1: ${install}`);
  }
  if (typeof strategy.create !== 'function' || typeof strategy.name !== 'string') {
    throw new StrategyLoadError(name, 'a strategy without name or create', 'both');
  }
  // It is printed, and written into pictures.
  if (/\p{Cc}/u.test(strategy.name))
    throw new StrategyLoadError(name, `the name ${inspect(strategy.name)}`, 'one without control characters');
  if (!Array.isArray(strategy.locks))
    throw new StrategyLoadError(name, `locks ${inspect(strategy.locks)}`, 'a list of lock classes');
  const { vma, mm, folio } = Object(strategy.bytes) as Record<string, unknown>;
  if (![vma, mm, folio].every((bytes) => typeof bytes === 'number'))
    throw new StrategyLoadError(name, `bytes ${inspect(strategy.bytes)}`, 'numbers for vma, mm and folio');
  return strategy;
}
