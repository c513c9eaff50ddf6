import { MADV_MERGEABLE } from '@rmap-lab/core';
import type { BodyRecord, Header } from '../format.js';
import { act, advise, exit, fork, map, mark, regionAt, spawn, touch } from './memory.js';
import { generatedHeader } from './place.js';

/** What {@link memoryMerging} may be told. */
export interface MemoryMergingOptions {
  /** Processes that hold the same memory. Default 8. */
  readonly guests?: number;
  /** VMAs of each. Default 4. */
  readonly vmas?: number;
  /** Pages in each VMA. Default 64. */
  readonly pages?: number;
}

/**
 * Guests of the same image on one host: each is a child that has its own copy of everything, marks it MADV_MERGEABLE, and KSM merges
 * them all. Then each writes one page in eight. Marks: `copied`, `merged`, `written`.
 */
export function* memoryMerging({
  guests = 8,
  vmas = 4,
  pages = 64,
}: MemoryMergingOptions = {}): Generator<Header | BodyRecord, void> {
  yield generatedHeader('memory-merging', { guests, vmas, pages });
  yield spawn(0);
  for (let guest = 1; guest <= guests; guest++) {
    yield fork(guest, 0);
    for (let n = 0; n < vmas; n++) {
      yield map(guest, regionAt(n, pages), pages);
      yield touch(guest, 'write', regionAt(n, pages), pages);
      yield advise(guest, regionAt(n, pages), pages, MADV_MERGEABLE);
    }
  }
  yield mark('copied');
  for (let guest = 1; guest <= guests; guest++) {
    for (let n = 0; n < vmas; n++) yield act('ksm-merge', guest, regionAt(n, pages), pages);
  }
  yield mark('merged');
  for (let guest = 1; guest <= guests; guest++) {
    for (let n = 0; n < vmas; n++) yield touch(guest, 'write', regionAt(n, pages), pages, 8);
  }
  yield mark('written');
  for (let process = 0; process <= guests; process++) yield exit(process);
}
