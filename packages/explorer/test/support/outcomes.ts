import type { Op, Step } from '@rmap-lab/core';
import { bruteForce, dpor, keptProgram, type Search, stateSearch } from '../../src/index.js';

/** A step of a thread that then does what it likes to `object`. */
export const step = (object: object, enabled?: () => boolean): Step => ({
  kind: 'store',
  object,
  label: 'shared',
  ...(enabled !== undefined && { enabled }),
});

/** How a program can end, by engine: all three know every interleaving, so they must agree. */
export interface Outcomes {
  readonly bruteForce: readonly string[];
  readonly dpor: readonly string[];
  readonly states: readonly string[];
}

/** What `outcome` says at the end of all schedules of threads that share what `make` makes. */
export function outcomes<W extends object>(
  make: () => W,
  threads: (world: W) => Readonly<Record<string, Op<unknown>>>,
  outcome: (world: W) => string,
): Outcomes {
  let found = new Set<string>();
  const program = keptProgram(make, (world, kept) => ({
    threads: threads(world),
    settle: () => void found.add(outcome(world)),
    ...kept?.views(),
  }));
  const by = (engine: (of: typeof program) => Search): readonly string[] => {
    found = new Set();
    const { exhausted, failure } = engine(program);
    return failure === null ? [...found].sort() : [`${failure.error}`, exhausted ? 'exhausted' : 'stopped'];
  };
  return { bruteForce: by(bruteForce), dpor: by(dpor), states: by(stateSearch) };
}

/** The same of all engines. */
export const all = (...found: string[]): Outcomes => ({ bruteForce: found, dpor: found, states: found });
