import type { BodyRecord, Header } from '../format.js';
import { exit, fork, map, mark, regionAt, remap, spawn, touch } from './memory.js';
import { generatedHeader } from './place.js';

/** What {@link apart} may be told. */
export interface ApartOptions {
  /** Pairs of neighbours. Default 32. */
  readonly pairs?: number;
  /** Pages of each. Default 4. */
  readonly pages?: number;
}

/**
 * Memory that could be one VMA and is not where the reverse map objects: of each pair one part moved away before the other was written,
 * and came back; and after a fork the child maps more beside each pair. Marks: `moved`, `forked`.
 */
export function* apart({ pairs = 32, pages = 4 }: ApartOptions = {}): Generator<Header | BodyRecord, void> {
  yield generatedHeader('apart', { pairs, pages });
  yield spawn(0);
  const place = (n: number): number => regionAt(n, 3 * pages);
  const away = place(pairs);
  for (let n = 0; n < pairs; n++) {
    yield map(0, place(n), pages);
    yield touch(0, 'write', place(n), pages);
    yield remap(0, place(n), pages, away, pages);
    yield map(0, place(n) + pages, pages);
    yield touch(0, 'write', place(n) + pages, pages);
    yield remap(0, away, pages, place(n), pages);
  }
  yield mark('moved');
  yield fork(1, 0);
  for (let n = 0; n < pairs; n++) {
    yield map(1, place(n) + 2 * pages, pages);
    yield touch(1, 'write', place(n) + 2 * pages, pages);
  }
  yield mark('forked');
  yield exit(1);
  yield exit(0);
}
