import { alignUp, MAP_GROWSDOWN, MREMAP_DONTUNMAP } from '@rmap-lab/core';
import type { BodyRecord, CallRecord } from '../format.js';
import { Ranges } from './ranges.js';

/** What is mapped in one address space, as far as records say. */
export interface Space {
  readonly mapped: Ranges;
  /** Ends of what grows down: of the stack, and of memory that was mapped so. */
  stackEnds: readonly number[];
  /** Start and end of the heap; null: not known yet. */
  heap: { readonly start: number; readonly end: number } | null;
}

/** The address spaces of a trace, record by record. */
export class Spaces {
  private readonly spaces = new Map<number, Space>();

  of(process: number): Space {
    return this.spaces.get(process) ?? { mapped: new Ranges(), stackEnds: [], heap: null };
  }

  follow(record: BodyRecord): void {
    switch (record.type) {
      case 'process': {
        const above = this.of(record.parent ?? 0);
        this.spaces.set(record.process, record.kind === 'fork' ? { ...above, mapped: above.mapped.copy() } : above);
        break;
      }
      case 'exec': {
        const mapped = new Ranges();
        for (const { start, end } of record.layout) mapped.add(start, end);
        const stackEnds = record.layout.filter(({ kind }) => kind === 'stack').map(({ end }) => end);
        const start = record.layout.find(({ kind }) => kind === 'heap')?.start ?? record.brk;
        this.spaces.set(record.process, { mapped, stackEnds, heap: start === null ? null : { start, end: start } });
        break;
      }
      case 'exit':
        this.spaces.delete(record.process);
        break;
      case 'call':
        if (typeof record.result === 'number') called(this.of(record.process), record, record.result);
        break;
    }
  }
}

function called(space: Space, { call, args }: CallRecord, result: number): void {
  const { mapped } = space;
  const [address, length, newLength, flags] = args;
  if (call === 'mmap') {
    mapped.add(result, result + alignUp(length));
    if ((args[3] & MAP_GROWSDOWN) !== 0) space.stackEnds = [...space.stackEnds, result + alignUp(length)];
  }
  if (call === 'munmap') mapped.remove(address, address + alignUp(length));
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
