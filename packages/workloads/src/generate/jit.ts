import { PROT_EXEC, PROT_READ, PROT_WRITE } from '@rmap-lab/core';
import type { BodyRecord, Header } from '../format.js';
import { exit, map, mark, protect, regionAt, spawn, touch } from './memory.js';
import { generatedHeader } from './place.js';

function* protections(regions: number, pages: number, cuts: number, step: number, prot: number): Generator<BodyRecord, void> {
  for (let n = 0; n < regions; n++) {
    for (let cut = 0; cut < cuts && cut * step < pages; cut++) yield protect(0, regionAt(n, pages) + cut * step, 1, prot);
  }
}

/** What {@link jit} may be told. */
export interface JitOptions {
  /** Code regions. Default 8. */
  readonly regions?: number;
  /** Pages in each region. Default 256. */
  readonly pages?: number;
  /** Pages in each region that become executable, one by one, and writable again. Default 64. */
  readonly cuts?: number;
}

/**
 * A compiler at run time: it maps large regions, makes single pages executable, which cuts the VMA, and takes that back, which joins
 * it. Marks: `cut` when all cuts are there, `joined`.
 */
export function* jit({ regions = 8, pages = 256, cuts = 64 }: JitOptions = {}): Generator<Header | BodyRecord, void> {
  yield generatedHeader('jit', { regions, pages, cuts });
  yield spawn(0);
  for (let n = 0; n < regions; n++) {
    yield map(0, regionAt(n, pages), pages);
    yield touch(0, 'write', regionAt(n, pages), pages);
  }
  const step = Math.max(2, Math.floor(pages / cuts));
  const all = (prot: number) => protections(regions, pages, cuts, step, prot);
  yield* all(PROT_READ | PROT_EXEC);
  yield mark('cut');
  yield* all(PROT_READ | PROT_WRITE);
  yield mark('joined');
  yield exit(0);
}
