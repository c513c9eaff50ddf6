import { historical } from './historical/index.js';
import type { Mutant } from './mutant.js';

/** All mutants. */
export const mutants: readonly Mutant[] = [...historical];

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
