import { MADV_DONTNEED, MADV_FREE } from '@rmap-lab/core';
import type { BodyRecord, Header } from '../format.js';
import { advise, exit, map, mark, regionAt, spawn, touch } from './memory.js';
import { generatedHeader } from './place.js';

/** What {@link garbageCollector} may be told. */
export interface GarbageCollectorOptions {
  /** Blocks of the heap, all in one VMA. Default 32. */
  readonly blocks?: number;
  /** Pages in each block. Default 64. */
  readonly pages?: number;
  /** Collections. Default 16. */
  readonly cycles?: number;
}

/**
 * A collector with a heap in one VMA: each collection gives a third of the blocks back with MADV_DONTNEED, a third with MADV_FREE,
 * and the program writes to all of them again. Mark: `collected`.
 */
export function* garbageCollector({
  blocks = 32,
  pages = 64,
  cycles = 16,
}: GarbageCollectorOptions = {}): Generator<Header | BodyRecord, void> {
  yield generatedHeader('garbage-collector', { blocks, pages, cycles });
  yield spawn(0);
  const heap = regionAt(0, blocks * pages);
  yield map(0, heap, blocks * pages);
  yield touch(0, 'write', heap, blocks * pages);
  for (let cycle = 0; cycle < cycles; cycle++) {
    for (let block = 0; block < blocks; block++) {
      const turn = (block + cycle) % 3;
      if (turn < 2) yield advise(0, heap + block * pages, pages, turn === 0 ? MADV_DONTNEED : MADV_FREE);
    }
    yield touch(0, 'write', heap, blocks * pages, 2);
  }
  yield mark('collected');
  yield exit(0);
}
