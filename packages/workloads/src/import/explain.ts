import { alignUp, MREMAP_DONTUNMAP, PAGE_SIZE } from '@rmap-lab/core';
import type { BodyRecord, CallRecord, TouchRecord } from '../format.js';
import { Ranges } from './ranges.js';

/** How far a stack may grow: the usual limit (RLIMIT_STACK). */
const STACK_LIMIT = 8 * 1024 * 1024;

/** What is mapped in one address space. */
interface Space {
  readonly mapped: Ranges;
  /** 0: no stack. */
  readonly stackEnd: number;
  /** Start and end of the heap; null: not known yet. */
  heap: { readonly start: number; readonly end: number } | null;
}

/**
 * Hands records on, and tells of every touched page that lies in nothing that the records before it mapped: a recording with such
 * pages lacks something, and can't be replayed. What the pages of a mapping may be used for is left to the replay.
 */
export async function* explainTouches(
  records: AsyncIterable<BodyRecord>,
  onUnexplained: (touch: TouchRecord) => void,
): AsyncGenerator<BodyRecord> {
  const spaces = new Map<number, Space>();
  for await (const record of records) {
    follow(spaces, record, onUnexplained);
    yield record;
  }
}

function follow(spaces: Map<number, Space>, record: BodyRecord, onUnexplained: (touch: TouchRecord) => void): void {
  const spaceOf = (process: number): Space => spaces.get(process) ?? { mapped: new Ranges(), stackEnd: 0, heap: null };
  switch (record.type) {
    case 'process': {
      const above = spaceOf(record.parent ?? 0);
      spaces.set(record.process, record.kind === 'fork' ? { ...above, mapped: above.mapped.copy() } : above);
      break;
    }
    case 'exec': {
      const mapped = new Ranges();
      for (const { start, end } of record.layout) mapped.add(start, end);
      const stackEnd = record.layout.find(({ kind }) => kind === 'stack')?.end ?? 0;
      const heapStart = record.layout.find(({ kind }) => kind === 'heap')?.start ?? record.brk;
      spaces.set(record.process, { mapped, stackEnd, heap: heapStart === null ? null : { start: heapStart, end: heapStart } });
      break;
    }
    case 'exit':
      spaces.delete(record.process);
      break;
    case 'call':
      if (typeof record.result === 'number') called(spaceOf(record.process), record, record.result);
      break;
    case 'touch':
      for (let i = 0; i < record.count; i++) {
        const page = (record.first + i * record.stride) * PAGE_SIZE;
        if (!touched(spaceOf(record.process), page)) onUnexplained({ ...record, first: page / PAGE_SIZE, count: 1 });
      }
      break;
  }
}

function called(space: Space, { call, args }: CallRecord, result: number): void {
  const { mapped } = space;
  const [address, length, newLength, flags] = args;
  if (call === 'mmap') mapped.add(result, result + alignUp(length));
  else if (call === 'munmap') mapped.remove(address, address + alignUp(length));
  else if (call === 'mremap') {
    if ((flags & MREMAP_DONTUNMAP) === 0) mapped.remove(address, address + alignUp(length));
    mapped.add(result, result + alignUp(newLength));
  } else if (call === 'brk') {
    const { start, end } = space.heap ?? { start: result, end: result };
    mapped.remove(alignUp(result), alignUp(end));
    mapped.add(alignUp(start), alignUp(result));
    space.heap = { start, end: result };
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
