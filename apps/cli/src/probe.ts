import { availableParallelism } from 'node:os';
import { runAgain, StrategyMisbehaves } from './apart.js';
import { isOutside } from './load-strategy.js';

/** Longest time to load a strategy. */
const LOAD_SECONDS = Math.min(20, Number(process.env.RMAP_LAB_PATIENCE ?? 20));

/** What loading a strategy in a process of its own showed. */
export type Probed = { readonly strategy: string; readonly contract: number } | { readonly error: string };

/** How many probes may begin now, and who waits: more at once than there are cores would only eat up one another's time. */
let free = availableParallelism();
const waiting: (() => void)[] = [];

/** Loads a strategy where it can do no harm. */
export async function probe(name: string): Promise<Probed> {
  if (free > 0) free--;
  else await new Promise<void>((resolve) => waiting.push(resolve));
  try {
    return await probeNow(name);
  } finally {
    const next = waiting.shift();
    if (next === undefined) free++;
    else next();
  }
}

async function probeNow(name: string): Promise<Probed> {
  let said = '';
  const onPrint = (text: string): void => {
    said += text;
  };
  try {
    await runAgain(['probe', name], name, { output: 'ignore', onPrint, seconds: LOAD_SECONDS });
    const probed = JSON.parse(said) as Probed;
    if (typeof Object(probed).strategy === 'string' || typeof Object(probed).error === 'string') return probed;
  } catch (error) {
    if (error instanceof StrategyMisbehaves) return { error: error.message };
    if (!(error instanceof SyntaxError)) throw error;
  }
  // A strategy may print, and end the process, when it likes.
  return { error: `strategy '${name}' sent something that is no result while it was loaded` };
}

/** Tries a strategy, if it is from outside. @throws StrategyMisbehaves when it can't be loaded */
export async function checkUsable(strategy: string): Promise<void> {
  const error = (await unusableOf([strategy]))[strategy];
  if (error !== undefined) throw new StrategyMisbehaves(error);
}

/** Tries those of `strategies` that are from outside: what is wrong with the ones that can't be loaded, by name. */
export async function unusableOf(strategies: readonly string[]): Promise<Readonly<Record<string, string>>> {
  const tried = [...new Set(strategies)].filter(isOutside).map(async (name) => [name, await probe(name)] as const);
  return Object.fromEntries(
    (await Promise.all(tried)).flatMap(([name, result]) => ('error' in result ? [[name, result.error]] : [])),
  );
}
