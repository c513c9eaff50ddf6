import type { BodyRecord, Header } from '../format.js';
import { exit, fork, map, mark, regionAt, spawn, touch } from './memory.js';
import { generatedHeader } from './place.js';

/** What {@link manyVmas} may be told. */
export interface ManyVmasOptions {
  /** VMAs of the parent, one written page each. Default 1000. */
  readonly vmas?: number;
  /** Children, forked when all VMAs are there. Default 1000. */
  readonly children?: number;
}

/**
 * The critic's case: a process with very many VMAs, then very many children that share every page. Marks: `mapped`, `forked`.
 */
export function* manyVmas({ vmas = 1000, children = 1000 }: ManyVmasOptions = {}): Generator<Header | BodyRecord, void> {
  yield generatedHeader('many-vmas', { vmas, children });
  yield spawn(0);
  for (let n = 0; n < vmas; n++) {
    yield map(0, regionAt(n, 1), 1);
    yield touch(0, 'write', regionAt(n, 1), 1);
  }
  yield mark('mapped');
  for (let child = 1; child <= children; child++) yield fork(child, 0);
  yield mark('forked');
  for (let process = 0; process <= children; process++) yield exit(process);
}
