import type { BodyRecord, Header } from '../format.js';
import { exit, fork, map, mark, regionAt, spawn, touch } from './memory.js';
import { generatedHeader } from './place.js';

/** What {@link forkFanOut} may be told. */
export interface ForkFanOutOptions {
  /** Processes forked from the one parent. Default 64. */
  readonly children?: number;
  /** Separate VMAs that the parent maps and writes. Default 16. */
  readonly vmas?: number;
  /** Pages in each VMA. Default 16. */
  readonly pages?: number;
}

/**
 * One parent, many children at once, as a server that starts all its workers: each child writes one page in eight and reads the rest.
 * Marks: `forked` with all alive, `exited` with the parent alone.
 */
export function* forkFanOut({
  children = 64,
  vmas = 16,
  pages = 16,
}: ForkFanOutOptions = {}): Generator<Header | BodyRecord, void> {
  yield generatedHeader('fork-fan-out', { children, vmas, pages });
  yield spawn(0);
  for (let n = 0; n < vmas; n++) {
    yield map(0, regionAt(n, pages), pages);
    yield touch(0, 'write', regionAt(n, pages), pages);
  }
  for (let child = 1; child <= children; child++) yield fork(child, 0);
  for (let child = 1; child <= children; child++) {
    for (let n = 0; n < vmas; n++) {
      yield touch(child, 'read', regionAt(n, pages), pages);
      yield touch(child, 'write', regionAt(n, pages), pages, 8);
    }
  }
  yield mark('forked');
  for (let child = 1; child <= children; child++) yield exit(child);
  yield mark('exited');
  yield exit(0);
}
