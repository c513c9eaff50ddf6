import { PAGE_SIZE } from '@rmap-lab/core';
import type { BodyRecord, TouchRecord } from '../format.js';
import { type Space, Spaces } from './mapped.js';

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

/** Whether a page is mapped, or a stack may grow down to it: how far, limits say that are not recorded. */
function touched({ mapped, stackEnds }: Space, page: number): boolean {
  if (mapped.has(page)) return true;
  const above = mapped.after(page);
  if (above === null || !stackEnds.some((end) => above.start < end && end <= above.end)) return false;
  mapped.add(page, above.start);
  return true;
}
