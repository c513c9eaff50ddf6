import { InvalidArgumentError } from 'commander';

/** One of several pieces of a piece of work, from 1. */
export interface Shard {
  readonly index: number;
  readonly count: number;
}

/** The shard that `1/4` names. */
export function shardFrom(text: string): Shard {
  const [, index, count] = /^(\d+)\/(\d+)$/.exec(text)?.map(Number) ?? [];
  if (index === undefined || index < 1 || index > count) throw new InvalidArgumentError('it must be like 1/4');
  return { index, count };
}
