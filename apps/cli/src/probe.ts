import { runAgain, StrategyMisbehaves } from './apart.js';
import { isOutside } from './load-strategy.js';

/** Longest time to load a strategy. */
const LOAD_SECONDS = Math.min(20, Number(process.env.RMAP_LAB_PATIENCE ?? 20));

/** What loading a strategy in a process of its own showed. */
export type Probed = { readonly strategy: string; readonly contract: number } | { readonly error: string };

/** Loads a strategy where it can do no harm. */
export async function probe(name: string): Promise<Probed> {
  let said = '';
  const onPrint = (text: string): void => {
    said += text;
  };
  try {
    await runAgain(['probe', name], name, { output: 'ignore', onPrint, seconds: LOAD_SECONDS });
    return JSON.parse(said) as Probed;
  } catch (error) {
    if (error instanceof StrategyMisbehaves) return { error: error.message };
    throw error;
  }
}

export async function checkOutside(strategies: readonly string[]): Promise<void> {
  const probed = await Promise.all([...new Set(strategies)].filter(isOutside).map(probe));
  for (const each of probed) if ('error' in each) throw new StrategyMisbehaves(each.error);
}
