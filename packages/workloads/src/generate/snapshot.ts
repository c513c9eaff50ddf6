import type { BodyRecord, Header } from '../format.js';
import { exit, fork, map, mark, regionAt, spawn, touch } from './memory.js';
import { generatedHeader } from './place.js';

/** What {@link snapshot} may be told. */
export interface SnapshotOptions {
  /** Snapshots, one child each. Default 8. */
  readonly snapshots?: number;
  /** VMAs of the data. Default 4. */
  readonly vmas?: number;
  /** Pages in each VMA. Default 1024. */
  readonly pages?: number;
}

/**
 * A database that forks to write a snapshot, as Redis does: the child reads everything and ends, the parent meanwhile writes one page
 * in sixteen. Marks: `saving` with the last child alive, `saved`.
 */
export function* snapshot({ snapshots = 8, vmas = 4, pages = 1024 }: SnapshotOptions = {}): Generator<Header | BodyRecord, void> {
  yield generatedHeader('snapshot', { snapshots, vmas, pages });
  yield spawn(0);
  for (let n = 0; n < vmas; n++) {
    yield map(0, regionAt(n, pages), pages);
    yield touch(0, 'write', regionAt(n, pages), pages);
  }
  for (let child = 1; child <= snapshots; child++) {
    yield fork(child, 0);
    for (let n = 0; n < vmas; n++) {
      yield touch(child, 'read', regionAt(n, pages), pages);
      yield touch(0, 'write', regionAt(n, pages) + (child % 16), pages - (child % 16), 16);
    }
    if (child === snapshots) yield mark('saving');
    yield exit(child);
  }
  yield mark('saved');
  yield exit(0);
}
