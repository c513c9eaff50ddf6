export { historical } from './historical/index.js';
export type { Base, Mutant, Patch } from './mutant.js';
export { mutantNamed, mutants, UnknownMutant } from './mutants.js';
export { PatchMismatch } from './source.js';
export { strategyOf } from './strategy-of.js';
