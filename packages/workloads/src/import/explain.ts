import { PAGE_SIZE } from '@rmap-lab/core';
import type { BodyRecord, TouchRecord } from '../format.js';
import { type Space, Spaces } from './mapped.js';

/** How far a stack may grow: the usual limit (RLIMIT_STACK). */
const STACK_LIMIT = 8 * 1024 * 1024;

/**
 * Hands records on, and tells of every touched page that lies in nothing that the records before it mapped: a recording with such
 * pages lacks something, and can't be replayed. What the pages of a mapping may be used for is left to the replay.
 */
export async function* explainTouches(
  records: AsyncIterable<BodyRecord>,
  onUnexplained: (touch: TouchRecord) => void,
): AsyncGenerator<BodyRecord> {
  const spaces = new Spaces();
  for await (const record of records) {
    spaces.follow(record);
    if (record.type === 'touch') explain(spaces.of(record.process), record, onUnexplained);
    yield record;
  }
}

function explain(space: Space, touch: TouchRecord, onUnexplained: (touch: TouchRecord) => void): void {
  for (let i = 0; i < touch.count; i++) {
    const first = touch.first + i * touch.stride;
    if (!touched(space, first * PAGE_SIZE)) onUnexplained({ ...touch, first, count: 1 });
  }
}

/** Whether a page is mapped, or the stack may grow down to it. */
function touched({ mapped, stackEnd }: Space, page: number): boolean {
  if (mapped.has(page)) return true;
  if (page >= stackEnd || page < stackEnd - STACK_LIMIT) return false;
  const above = mapped.after(page);
  if (above === null || above.end < stackEnd) return false;
  mapped.add(page, above.start);
  return true;
}
