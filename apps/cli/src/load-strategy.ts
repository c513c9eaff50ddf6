import {
  isOutside as isOutsideOf,
  type LoadedStrategy,
  loadStrategy as load,
  type ShortNames,
} from '@rmap-lab/core/load-strategy';

/** Modules of the strategies that come with the command, found from here: a worker or a package elsewhere could not. */
export const shortNames: ShortNames = {
  'anon-vma': import.meta.resolve('@rmap-lab/strategy-anon-vma'),
  'anon-vma-lazy': import.meta.resolve('@rmap-lab/strategy-anon-vma-lazy'),
  'cow-context': import.meta.resolve('@rmap-lab/strategy-cow-context'),
};

/** The package that a short name stands for. */
export const packageOf = (shortName: string): string => `@rmap-lab/strategy-${shortName}`;

/** npm changes into the clone's top; files are meant from where the user stands. */
export const standing = (): string => process.env.INIT_CWD ?? process.cwd();

/** Whether a strategy is none of those that come with the command. */
export const isOutside = (name: string): boolean => isOutsideOf(name, shortNames);

/** The strategy of a short name, a package, or a file, perhaps with `:preset`. One from outside belongs into a process of its own: see `apart`. @throws StrategyLoadError */
export const loadStrategy = (name: string): Promise<LoadedStrategy> => load(name, shortNames, standing());

/** All that come with the command, each as it is by default. */
export const bundledStrategies = (): readonly string[] => Object.keys(shortNames);
