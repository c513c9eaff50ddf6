/** What a mutant was made of, by the name of its package without `strategy-`. */
export type Base = 'anon-vma' | 'anon-vma-lazy' | 'cow-context';

/** A change of one source file: `find` stands in it exactly once. `<base>:<file>` is a file of another strategy, which this one builds on. */
export type Patch = readonly [file: string, find: string, replace: string];

/** A strategy that is broken on purpose, as data. */
export interface Mutant {
  /** `<base>/<name>`; permanent. */
  readonly id: string;
  readonly base: Base;
  /** What is wrong. */
  readonly sentence: string;
  /** Whether it shows with one operation at a time, or only where several run at once. */
  readonly kind: 'sequential' | 'concurrent';
  /** The kernel's commit that this undoes. */
  readonly commit?: string;
  readonly patches: readonly Patch[];
}

type Row = readonly [name: string, sentence: string, ...patches: Patch[]];

/** Mutants of one strategy, as a table. */
export const mutantsOf = (base: Base, kind: Mutant['kind'], rows: readonly Row[]): readonly Mutant[] =>
  rows.map(([name, sentence, ...patches]) => ({ id: `${base}/${name}`, base, kind, sentence, patches }));
