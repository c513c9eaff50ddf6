import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type RmapStrategy, StrategyLoadError } from '@rmap-lab/core';

/** Strategies that come with the command, by short name. */
const SHORT_NAMES: Readonly<Record<string, () => Promise<unknown>>> = { 'anon-vma': () => import('@rmap-lab/strategy-anon-vma') };

const AVAILABLE = `one of ${Object.keys(SHORT_NAMES).join(', ')}, a package name, or a file`;

/** The strategy of a short name, a package, or a file. @throws StrategyLoadError */
export async function loadStrategy(name: string): Promise<RmapStrategy> {
  const module = await importModule(name);
  for (const value of [module.default, ...Object.values(module)]) {
    const strategy = typeof value === 'function' && value.length === 0 ? tryMake(name, value as () => unknown) : value;
    if (looksLikeStrategy(strategy)) return checked(name, strategy);
  }
  throw new StrategyLoadError(
    name,
    `a module that exports ${Object.keys(module).join(', ') || 'nothing'}`,
    'a strategy, or a function that makes one',
  );
}

async function importModule(name: string): Promise<Record<string, unknown>> {
  // npm changes into the clone's top; files are meant from where the user stands.
  const file = resolve(process.env.INIT_CWD ?? process.cwd(), name);
  const isFile = /[./\\]/.test(name) && !name.startsWith('@') && existsSync(file);
  try {
    const load = SHORT_NAMES[name] ?? (() => import(isFile ? pathToFileURL(file).href : name));
    return (await load()) as Record<string, unknown>;
  } catch (error) {
    const reason = error instanceof Error ? error.message.split('\n')[0] : String(error);
    throw new StrategyLoadError(name, `nothing that can be loaded (${reason})`, AVAILABLE);
  }
}

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
