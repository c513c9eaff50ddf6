import type { BodyRecord, Header } from '../format.js';
import { map, regionAt, touch, unmap } from './memory.js';
import { generatedHeader } from './place.js';

/** What {@link zygote} may be told. */
export interface ZygoteOptions {
  /** Applications forked from the zygote. Default 24. */
  readonly children?: number;
  /** Separate VMAs that the zygote prepares. Default 64. */
  readonly vmas?: number;
  /** Pages in each VMA. Default 64. */
  readonly pages?: number;
  /** Every how many-th page of what it inherits an application writes. Default 8. */
  readonly writeEvery?: number;
}

/**
 * Android's habit: one process prepares memory that all applications are forked from. Each reads it all, writes some of it, gives
 * back one VMA, and maps as much again of its own. Marks: `forked` with all applications alive, `exited` with the zygote alone.
 */
export function* zygote({
  children = 24,
  vmas = 64,
  pages = 64,
  writeEvery = 8,
}: ZygoteOptions = {}): Generator<Header | BodyRecord, void> {
  yield generatedHeader('zygote', { children, vmas, pages, writeEvery });
  yield { type: 'process', process: 0, parent: null, kind: 'spawn' };
  for (let n = 0; n < vmas; n++) {
    yield map(0, regionAt(n, pages), pages);
    yield touch(0, 'write', regionAt(n, pages), pages);
  }
  for (let child = 1; child <= children; child++) {
    yield { type: 'process', process: child, parent: 0, kind: 'fork' };
    for (let n = 0; n < vmas; n++) {
      yield touch(child, 'read', regionAt(n, pages), pages);
      yield touch(child, 'write', regionAt(n, pages), pages, writeEvery);
    }
    yield unmap(child, regionAt(child % vmas, pages), pages);
    for (let n = vmas; n < 2 * vmas; n++) {
      yield map(child, regionAt(n, pages), pages);
      yield touch(child, 'write', regionAt(n, pages), pages);
    }
  }
  yield { type: 'mark', name: 'forked' };
  for (let child = 1; child <= children; child++) yield { type: 'exit', process: child };
  yield { type: 'mark', name: 'exited' };
  yield { type: 'exit', process: 0 };
}
