import { InvalidArgumentError } from 'commander';

/** Collects the values of an option that may be repeated. */
export const collect = (value: string, before: readonly string[]): readonly string[] => [...before, value];

/** Collects `name=n` pairs. @throws InvalidArgumentError */
export function collectParameter(pair: string, before: Readonly<Record<string, number>>): Record<string, number> {
  const [, name, value] = /^(\w+)=(\d+)$/.exec(pair) ?? [];
  if (name === undefined) throw new InvalidArgumentError('it must be like depth=8');
  return { ...before, [name]: Number(value) };
}
