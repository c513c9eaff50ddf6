import type { BodyRecord, Header } from '../format.js';
import { map, regionAt, touch } from './memory.js';
import { generatedHeader } from './place.js';

/** What {@link forkChain} may be told. */
export interface ForkChainOptions {
  /** Processes below the first one, each the child of the one before. Default 16. */
  readonly depth?: number;
  /** Separate VMAs that the first process maps and writes. Default 8. */
  readonly vmas?: number;
  /** Pages in each VMA. Default 32. */
  readonly pages?: number;
}

/**
 * A line of forks: each process writes one page in every VMA, its own copy, and reads the rest, which it shares with all above.
 * Then all exit, the oldest first. Marks: `forked` with the whole line alive, `exited`.
 */
export function* forkChain({ depth = 16, vmas = 8, pages = 32 }: ForkChainOptions = {}): Generator<Header | BodyRecord, void> {
  yield generatedHeader('fork-chain', { depth, vmas, pages });
  yield { type: 'process', process: 0, parent: null, kind: 'spawn' };
  for (let n = 0; n < vmas; n++) {
    yield map(0, regionAt(n, pages), pages);
    yield touch(0, 'write', regionAt(n, pages), pages);
  }
  for (let child = 1; child <= depth; child++) {
    yield { type: 'process', process: child, parent: child - 1, kind: 'fork' };
    for (let n = 0; n < vmas; n++) {
      yield touch(child, 'read', regionAt(n, pages), pages);
      yield touch(child, 'write', regionAt(n, pages) + ((child + n) % pages), 1);
    }
  }
  yield { type: 'mark', name: 'forked' };
  for (let process = 0; process <= depth; process++) yield { type: 'exit', process };
  yield { type: 'mark', name: 'exited' };
}
