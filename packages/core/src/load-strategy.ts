import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { StrategyLoadError } from './errors.js';
import type { RmapStrategy } from './rmap/contract.js';

/** A strategy that was loaded by name. */
export interface LoadedStrategy {
  readonly strategy: RmapStrategy;
  readonly preset: string | null;
}

/** Modules by short name: `{ 'anon-vma': '@rmap-lab/strategy-anon-vma' }`, or their URLs. */
export type ShortNames = Readonly<Record<string, string>>;

/**
 * The strategy of a short name, a package, or a file; `name:preset` for one that its module lists in `presets`. Files are meant from
 * `from`. @throws StrategyLoadError
 */
export async function loadStrategy(name: string, shortNames: ShortNames = {}, from = process.cwd()): Promise<LoadedStrategy> {
  const [moduleName, preset] = cut(name);
  const module = await importModule(moduleName, shortNames, from);
  const values = preset === null ? [module.default, ...Object.values(module)] : [presetOf(name, module, preset)];
  for (const value of values) {
    const strategy =
      typeof value === 'function' && value.length === 0 && !isClass(value) ? tryMake(name, value as () => unknown) : value;
    if (looksLikeStrategy(strategy)) return { strategy: checked(name, strategy), preset };
  }
  throw new StrategyLoadError(
    name,
    `a module that exports ${Object.keys(module).join(', ') || 'nothing'}`,
    'a strategy, or a function that makes one',
  );
}

/** `module:preset`; a file's drive or URL scheme is no preset. */
function cut(name: string): [string, string | null] {
  const match = /^(.{2,}):([\w-]+)$/.exec(name);
  return match === null ? [name, null] : [match[1], match[2]];
}

function presetOf(name: string, module: Record<string, unknown>, preset: string): unknown {
  const presets = (module.presets ?? {}) as Record<string, unknown>;
  if (Object.hasOwn(presets, preset)) return presets[preset];
  const known = Object.keys(presets).join(', ') || 'no preset';
  throw new StrategyLoadError(name, `a module without the preset '${preset}'`, `one of its presets: ${known}`);
}

async function importModule(name: string, shortNames: ShortNames, from: string): Promise<Record<string, unknown>> {
  const file = resolve(from, name);
  const isFile = /[./\\]/.test(name) && !name.startsWith('@') && existsSync(file);
  try {
    return (await import(shortNames[name] ?? (isFile ? pathToFileURL(file).href : name))) as Record<string, unknown>;
  } catch (error) {
    const reason = error instanceof Error ? error.message.split('\n')[0] : String(error);
    const available = `one of ${Object.keys(shortNames).join(', ')}, a package name, or a file`;
    throw new StrategyLoadError(name, `nothing that can be loaded (${reason})`, available);
  }
}

const isClass = (value: object): boolean => /^class\b/.test(Function.prototype.toString.call(value));

function tryMake(name: string, make: () => unknown): unknown {
  try {
    return make();
  } catch (error) {
    throw new StrategyLoadError(name, `a function that throws ${String(error)}`, 'a function that makes a strategy');
  }
}

const looksLikeStrategy = (value: unknown): value is RmapStrategy =>
  typeof value === 'object' && value !== null && 'create' in value && 'contract' in value && 'locks' in value;

function checked(name: string, strategy: RmapStrategy): RmapStrategy {
  if (strategy.contract !== 1) throw new StrategyLoadError(name, `contract ${String(strategy.contract)}`, 'contract 1');
  if (typeof strategy.create !== 'function' || typeof strategy.name !== 'string') {
    throw new StrategyLoadError(name, 'a strategy without name or create', 'both');
  }
  return strategy;
}
