import { concurrentAnonVmaMutants } from './concurrent/anon-vma.js';
import { concurrentLazyMutants } from './concurrent/anon-vma-lazy.js';
import { concurrentCowContextMutants } from './concurrent/cow-context.js';
import { historical } from './historical/index.js';
import type { Mutant } from './mutant.js';
import { anonVmaMutants } from './sequential/anon-vma.js';
import { lazyMutants } from './sequential/anon-vma-lazy.js';
import { cowContextMutants } from './sequential/cow-context.js';

/** All mutants. */
export const mutants: readonly Mutant[] = [
  ...historical,
  ...anonVmaMutants,
  ...lazyMutants,
  ...cowContextMutants,
  ...concurrentAnonVmaMutants,
  ...concurrentLazyMutants,
  ...concurrentCowContextMutants,
];

/** An id, or a commit, that no mutant has. */
export class UnknownMutant extends Error {
  override readonly name = 'UnknownMutant';
}

/** The mutant of an id or a commit. @throws UnknownMutant */
export function mutantNamed(name: string): Mutant {
  const found = mutants.find(({ id, commit }) => id === name || commit === name);
  if (found !== undefined) return found;
  throw new UnknownMutant(`there is no mutant '${name}'; docs/mutants.md names all ${mutants.length}`);
}
