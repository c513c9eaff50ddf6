import { loadStrategy } from '@rmap-lab/core/load-strategy';
import type { Strategies } from './row.js';

/** What `--strategy` may say, for the help texts. */
export const STRATEGY_HELP =
  '--strategy NAME  anon-vma (default), anon-vma-lazy, cow-context, a package or a file, perhaps with :preset; may be repeated';

const shortNames = {
  'anon-vma': import.meta.resolve('@rmap-lab/strategy-anon-vma'),
  'anon-vma-lazy': import.meta.resolve('@rmap-lab/strategy-anon-vma-lazy'),
  'cow-context': import.meta.resolve('@rmap-lab/strategy-cow-context'),
};

/** The strategies of these names, in this order. @throws StrategyLoadError */
export async function strategiesNamed(names: readonly string[]): Promise<Strategies> {
  const loaded = new Map();
  for (const name of names)
    loaded.set(name, (await loadStrategy(name, shortNames, process.env.INIT_CWD ?? process.cwd())).strategy);
  return loaded;
}
