import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { moduleOf, type ShortNames } from '@rmap-lab/core/load-strategy';

/** A digest of what results depend on beside their search: core, the explorer and the strategy's module, but not what a module imports from elsewhere. */
export function codeOf(strategy: string, shortNames: ShortNames, from: string): string {
  const digest = createHash('sha256');
  for (const module of [import.meta.resolve('@rmap-lab/core'), import.meta.url, moduleOf(strategy, shortNames, from)])
    digest.update(module.startsWith('file:') ? readFileSync(new URL(module)) : module);
  return digest.digest('hex').slice(0, 16);
}
