import type { Op, Step } from '@rmap-lab/core';
import { explore, keptProgram } from '../../src/index.js';

/** A step of a thread that then does what it likes to `object`. */
export const step = (object: object, enabled?: () => boolean): Step => ({
  kind: 'store',
  object,
  label: 'shared',
  ...(enabled !== undefined && { enabled }),
});

/**
 * What each engine that knows every interleaving says of threads that share what `make` makes: the message of the failure, or that
 * there is none.
 */
export function verdicts<W extends object>(
  make: () => W,
  threads: (world: W) => Readonly<Record<string, Op<unknown>>>,
  settle: (world: W) => void,
): Readonly<Record<string, string>> {
  const program = keptProgram(make, (world, kept) => ({
    threads: threads(world),
    settle: () => settle(world),
    ...kept?.views(),
  }));
  const found = (['brute-force', 'dpor', 'state'] as const).map((engine) => {
    const { verdict, exhausted, failure } = explore(program, { engine });
    return [engine, failure?.message ?? (exhausted ? verdict : 'stopped')] as const;
  });
  return Object.fromEntries(found);
}

/** The same of all engines. */
export const all = (verdict: string): Readonly<Record<string, string>> => ({
  'brute-force': verdict,
  dpor: verdict,
  state: verdict,
});
