import type { RmapStrategy } from '@rmap-lab/core';
import { anonVma } from '@rmap-lab/strategy-anon-vma';

/** The classic design with another merge rule: it joins what Linux keeps apart. */
export function wrongAnonVma(): RmapStrategy {
  const right = anonVma();
  return {
    ...right,
    create: (services) => {
      const rmap = right.create(services);
      rmap.canMerge = () => true;
      return rmap;
    },
  };
}
