import type { BodyRecord, Header } from '../format.js';
import { exit, fork, map, mark, regionAt, spawn, touch } from './memory.js';
import { generatedHeader } from './place.js';

/** What {@link leftBehind} may be told. */
export interface LeftBehindOptions {
  /** Processes forked from the one parent. Default 64. */
  readonly children?: number;
  /** Separate VMAs that the parent maps and writes. Default 4. */
  readonly vmas?: number;
  /** Pages in each VMA. Default 8. */
  readonly pages?: number;
}

/**
 * A page of an ancestor that one descendant alone still has: the parent and all children but the oldest write every page, and so have
 * copies of their own; the oldest only reads. Marks: `forked`, `copied`.
 */
export function* leftBehind({
  children = 64,
  vmas = 4,
  pages = 8,
}: LeftBehindOptions = {}): Generator<Header | BodyRecord, void> {
  yield generatedHeader('left-behind', { children, vmas, pages });
  yield spawn(0);
  for (let n = 0; n < vmas; n++) {
    yield map(0, regionAt(n, pages), pages);
    yield touch(0, 'write', regionAt(n, pages), pages);
  }
  for (let child = 1; child <= children; child++) yield fork(child, 0);
  yield mark('forked');
  for (let process = 0; process <= children; process++) {
    const access = process === 1 ? 'read' : 'write';
    for (let n = 0; n < vmas; n++) yield touch(process, access, regionAt(n, pages), pages);
  }
  yield mark('copied');
  for (let process = 0; process <= children; process++) yield exit(process);
}
