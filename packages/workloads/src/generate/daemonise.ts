import type { BodyRecord, Header } from '../format.js';
import { exit, fork, map, mark, regionAt, spawn, touch } from './memory.js';
import { generatedHeader } from './place.js';

/** What {@link daemonise} may be told. */
export interface DaemoniseOptions {
  /** How often the process replaces itself by its child. Default 32. */
  readonly generations?: number;
  /** Separate VMAs of the first process. Default 16. */
  readonly vmas?: number;
  /** Pages in each VMA. Default 16. */
  readonly pages?: number;
}

/**
 * A process that forks, ends, and leaves its work to the child, again and again: only one is ever alive for long, and each has all
 * the dead ones as ancestors. Each generation writes one page in four. Mark: `last`.
 */
export function* daemonise({
  generations = 32,
  vmas = 16,
  pages = 16,
}: DaemoniseOptions = {}): Generator<Header | BodyRecord, void> {
  yield generatedHeader('daemonise', { generations, vmas, pages });
  yield spawn(0);
  for (let n = 0; n < vmas; n++) {
    yield map(0, regionAt(n, pages), pages);
    yield touch(0, 'write', regionAt(n, pages), pages);
  }
  for (let child = 1; child <= generations; child++) {
    yield fork(child, child - 1);
    yield exit(child - 1);
    for (let n = 0; n < vmas; n++) yield touch(child, 'write', regionAt(n, pages) + (child % 4), pages - (child % 4), 4);
  }
  yield mark('last');
  yield exit(generations);
}
