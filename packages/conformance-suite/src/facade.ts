import type { Rmap, RmapServices, RmapStrategy } from '@rmap-lab/core';
import { made } from './answers.js';

const HOOKS = [
  'mmInit',
  'forkMm',
  'mmExit',
  'prepare',
  'fork',
  'clone',
  'unlink',
  'canMerge',
  'survivor',
  'adjust',
  'move',
  'anchor',
  'reaches',
  'transfer',
  'drop',
  'reserve',
  'mapping',
  'unmapped',
  'hold',
  'holdVma',
  'release',
  'walk',
  'inspect',
] as const satisfies readonly (keyof Rmap)[];

/** Where a facade keeps what stands behind it, so that a snapshot of a machine reaches it. */
const BEHIND = Symbol('strategy behind the facade');

/** The same hooks on an object of its own, which may be changed whatever the strategy's is: frozen, or with `#private` fields. */
function facadeOf(rmap: Rmap): Rmap {
  const facade: Record<PropertyKey, unknown> = { [BEHIND]: rmap };
  for (const name of HOOKS) {
    const hook = rmap[name] as ((...args: unknown[]) => unknown) | undefined;
    if (hook !== undefined) facade[name] = (...args: unknown[]) => hook.apply(rmap, args);
  }
  return facade as unknown as Rmap;
}

/** The strategy with some of its hooks changed on the way out of `create`. */
export const withHooks = (strategy: RmapStrategy, change: (rmap: Rmap, services: RmapServices) => void): RmapStrategy => ({
  ...strategy,
  create: (services) => {
    const facade = facadeOf(made(strategy.create(services)));
    change(facade, services);
    return facade;
  },
});
