import type { KernelOptions } from '@rmap-lab/core';
import type { PlacedRecord } from '../parser.js';

/** Name of the header's option with `vm.max_map_count` of the recorded machine. */
export const MAX_MAP_COUNT = 'max-map-count';

/** Records, and options for a kernel that is to replay them. */
export interface RecordedMachine {
  readonly options: Pick<KernelOptions, 'maxMapCount' | 'stackLimit'>;
  /** The same as were given. */
  readonly records: AsyncIterable<PlacedRecord>;
}

/**
 * What a kernel must be like to replay `records`: it has as many VMAs as the recorded machine allowed, and stacks grow as they did, since a trace does
 * not hold their limits. @throws what `records` throws at its header
 */
export async function recordedMachine(records: AsyncIterable<PlacedRecord> | Iterable<PlacedRecord>): Promise<RecordedMachine> {
  const all = inTurn(records);
  const first = await all.next();
  const header = !first.done && first.value.record.type === 'header' ? first.value.record : null;
  const maxMapCount = Number(header?.options[MAX_MAP_COUNT]);
  return {
    options: { stackLimit: Number.MAX_SAFE_INTEGER, ...(maxMapCount > 0 && { maxMapCount }) },
    records: again(first, all),
  };
}

async function* inTurn(records: AsyncIterable<PlacedRecord> | Iterable<PlacedRecord>): AsyncGenerator<PlacedRecord, void> {
  yield* records;
}

async function* again(
  first: IteratorResult<PlacedRecord, void>,
  rest: AsyncGenerator<PlacedRecord, void>,
): AsyncGenerator<PlacedRecord, void> {
  if (!first.done) yield first.value;
  yield* rest;
}
