import type { BodyRecord, Header } from '../format.js';
import { act, exit, fork, map, mark, regionAt, spawn, touch } from './memory.js';
import { generatedHeader } from './place.js';

/** What {@link memoryPressure} may be told. */
export interface MemoryPressureOptions {
  /** Processes forked from the one parent. Default 8. */
  readonly children?: number;
  /** Separate VMAs that the parent maps and writes. Default 4. */
  readonly vmas?: number;
  /** Pages in each VMA. Default 32. */
  readonly pages?: number;
}

/**
 * Memory that a family shares goes to swap and comes back: the youngest child reads it first, then all others, and at last every child
 * writes one page in four. Marks: `back` with all pages read, `written`.
 */
export function* memoryPressure({
  children = 8,
  vmas = 4,
  pages = 32,
}: MemoryPressureOptions = {}): Generator<Header | BodyRecord, void> {
  yield generatedHeader('memory-pressure', { children, vmas, pages });
  yield spawn(0);
  for (let n = 0; n < vmas; n++) {
    yield map(0, regionAt(n, pages), pages);
    yield touch(0, 'write', regionAt(n, pages), pages);
  }
  for (let child = 1; child <= children; child++) yield fork(child, 0);
  for (let n = 0; n < vmas; n++) yield act('reclaim', 0, regionAt(n, pages), pages);
  for (let process = children; process >= 0; process--) {
    for (let n = 0; n < vmas; n++) yield touch(process, 'read', regionAt(n, pages), pages);
  }
  yield mark('back');
  for (let child = 1; child <= children; child++) {
    for (let n = 0; n < vmas; n++) yield touch(child, 'write', regionAt(n, pages) + (child % 4), pages - (child % 4), 4);
  }
  yield mark('written');
  for (let process = 0; process <= children; process++) yield exit(process);
}
