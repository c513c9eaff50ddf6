import { alignUp, MAP_FIXED, MREMAP_FIXED } from '@rmap-lab/core';
import type { BodyRecord, CallName, CallRecord } from '../format.js';
import { type Space, Spaces } from './mapped.js';

/** A system call that a task has asked for. */
export interface Asked {
  readonly process: number;
  readonly call: CallName;
  readonly args: readonly number[];
  /** It came back. */
  answered: boolean;
  /** What stands for it in the trace; null: nothing, or not yet. */
  record: BodyRecord | null;
}

/** A fork that has copied its address space. Who else shares that may go on, and come back before it. */
export interface Copied {
  readonly type: 'copied';
  /** It came back, or is not to. */
  answered: boolean;
  /** The new process; null: none, or not yet. */
  record: BodyRecord | null;
}

/** What waits for its turn, and the calls that were under way when it came. */
interface Held {
  readonly it: BodyRecord | Copied;
  readonly beside: readonly Asked[];
}

/**
 * Puts calls of threads into the order in which they took effect. They are seen as they come back: a thread may get memory that another
 * has just freed, and be back before it. So who gets memory that is still mapped waits for the call that was about to free it; and what
 * comes after an address space was copied waits for the process that has the copy.
 */
export class Settler {
  private readonly spaces = new Spaces();
  private readonly held: Held[] = [];

  /** `underWay`: the calls that tasks are in at this moment. */
  constructor(private readonly underWay: () => readonly Asked[]) {}

  /** The records that `it` makes ready, in order. What is copied again, as a fork drops several locks, is copied now. */
  *take(it: BodyRecord | Copied): Generator<BodyRecord> {
    const before = it.type === 'copied' ? this.held.findIndex((held) => held.it === it) : -1;
    if (before >= 0) this.held.splice(before, 1);
    const free = it.type !== 'call' || (this.held.length === 0 && this.inTheWay(it) === null);
    this.held.push({ it, beside: free ? [] : this.underWay() });
    yield* this.ready();
  }

  /** What still waits when nothing more will come. */
  *rest(): Generator<BodyRecord> {
    for (const { it } of this.held) {
      const record = it.type === 'copied' ? it.record : it;
      if (record !== null) yield record;
    }
  }

  private *ready(): Generator<BodyRecord> {
    for (let first = this.held[0]; first !== undefined; first = this.held[0]) {
      const waitsFor = first.it.type === 'copied' ? first.it : this.freeing(first.it, first.beside);
      if (waitsFor !== undefined && !waitsFor.answered) return;
      const at = waitsFor === undefined || waitsFor === first.it ? 0 : this.held.findIndex(({ it }) => it === waitsFor.record);
      const [{ it }] = this.held.splice(at, 1);
      const record = it.type === 'copied' ? it.record : it;
      if (record === null) continue;
      this.spaces.follow(record);
      yield record;
    }
  }

  /** The call that frees what is in a record's way: it is under way, or waits behind the record. */
  private freeing(record: BodyRecord, beside: readonly Asked[]): Asked | undefined {
    const needed = beside.length === 0 ? null : this.inTheWay(record);
    if (needed === null) return undefined;
    const { space, start, end } = needed;
    return beside.find((asked) => {
      if (asked.record === record || this.spaces.of(asked.process) !== space) return false;
      const freed = freedBy(asked, space);
      if (freed === null || freed.start >= end || freed.end <= start) return false;
      return !asked.answered || this.held.some(({ it }) => it === asked.record);
    });
  }

  /** The place that a record takes, if there is something; null: it takes none, or a free one. */
  private inTheWay(record: BodyRecord): { readonly space: Space; readonly start: number; readonly end: number } | null {
    if (record.type !== 'call' || typeof record.result !== 'number') return null;
    const space = this.spaces.of(record.process);
    const place = placeOf(record, record.result);
    return place !== null && space.mapped.meets(place.start, place.end) ? { space, ...place } : null;
  }
}

interface Place {
  readonly start: number;
  readonly end: number;
}

/** What the kernel chose for a call, and so was free. */
function placeOf({ call, args }: CallRecord, result: number): Place | null {
  if (call === 'mmap' && (args[3] & MAP_FIXED) === 0) return { start: result, end: result + alignUp(args[1]) };
  if (call !== 'mremap' || (args[3] & MREMAP_FIXED) !== 0) return null;
  const [at, oldLength, newLength] = args;
  return { start: result === at ? at + alignUp(oldLength) : result, end: result + alignUp(newLength) };
}

function freedBy({ call, args }: Asked, { heap }: Space): Place | null {
  const [at, length] = args;
  if (call === 'munmap' || call === 'mremap') return { start: at, end: at + alignUp(length) };
  return call === 'brk' && heap !== null ? { start: alignUp(at), end: alignUp(heap.end) } : null;
}
