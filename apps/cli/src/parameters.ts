import { InvalidArgumentError, Option } from 'commander';

const collect = (value: string, before: readonly string[]): readonly string[] => [...before, value];

/** @throws InvalidArgumentError */
function collectParameter(pair: string, before: Readonly<Record<string, number>>): Record<string, number> {
  const [, name, value] = /^(\w+)=(\d+)$/.exec(pair) ?? [];
  if (name === undefined) throw new InvalidArgumentError('it must be like depth=8');
  return { ...before, [name]: Number(value) };
}

/** Strategies, none of which stands for all that come along. */
export const strategiesOption = (): Option =>
  new Option('--strategy <name>', 'short name, package, or file, perhaps with :preset; may be repeated')
    .argParser(collect)
    .default([], 'all that come along');

/** Parameters of a generated workload, by name. */
export const parametersOption = (): Option =>
  new Option('--parameter <name=n>', 'parameter of a generated workload; may be repeated')
    .argParser(collectParameter)
    .default({}, "the workload's own");
