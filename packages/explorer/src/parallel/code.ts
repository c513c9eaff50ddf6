import { digestOf, moduleOf, type ShortNames } from '@rmap-lab/core/load-strategy';

/** A digest of what results depend on beside their search: core, the explorer and the strategy. */
export const codeOf = (strategy: string, shortNames: ShortNames, from: string): string =>
  digestOf([import.meta.resolve('@rmap-lab/core'), import.meta.url, moduleOf(strategy, shortNames, from)]);
