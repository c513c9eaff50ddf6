import { alignUp } from '@rmap-lab/core';
import type { BodyRecord, CallRecord } from '../format.js';
import { type Space, Spaces } from './mapped.js';

/**
 * Leaves out every call on memory that no record before it mapped, and tells of each: where layouts are unknown that is what exec
 * mapped, or what was there before the recording, and no replay can answer such a call. An unmapping stays: of nothing it succeeds.
 */
export async function* leaveOutUnmapped(
  records: AsyncIterable<BodyRecord>,
  onLeftOut: (call: CallRecord) => void,
): AsyncGenerator<BodyRecord> {
  const spaces = new Spaces();
  for await (const record of records) {
    if (record.type === 'call' && !answerable(spaces.of(record.process), record)) {
      onLeftOut(record);
      continue;
    }
    spaces.follow(record);
    yield record;
  }
}

function answerable({ mapped, heap }: Space, { call, args, result }: CallRecord): boolean {
  if (call === 'mmap' || call === 'munmap') return true;
  if (call === 'brk') return heap !== null;
  // Several mappings move with the holes between them.
  if (call === 'mremap') return mapped.has(args[0]);
  // ENOMEM says that there is a hole, which is so in a replay, too.
  return result === 'ENOMEM' || mapped.covers(args[0], args[0] + alignUp(args[1]));
}
