import { ContractViolation, messageOf } from '../errors.js';
import type { Rmap, RmapServices, RmapStrategy } from './contract.js';

/** Hooks that every design has. */
const NEEDED = ['prepare', 'fork', 'clone', 'unlink', 'anchor', 'reaches', 'hold', 'holdVma', 'release', 'walk'] as const;

/** What a strategy makes for one machine. It need not be written in TypeScript, so what is missing is said here, not by the first call. @throws ContractViolation */
export function makeRmap(strategy: RmapStrategy, services: RmapServices): Rmap {
  const rmap: unknown = strategy.create(services);
  const hooks = Object(rmap) as Record<string, unknown>;
  const missing = NEEDED.filter((hook) => typeof hooks[hook] !== 'function');
  if (missing.length === 0) return rmap as Rmap;
  throw new ContractViolation('R3', 'create', 'new Kernel', `it made ${messageOf(rmap)}, which has no ${missing.join(', ')}`);
}
