import { MADV_HUGEPAGE } from '@rmap-lab/core';
import type { BodyRecord, Header } from '../format.js';
import { act, advise, exit, fork, map, mark, regionAt, spawn, touch, unmap } from './memory.js';
import { generatedHeader } from './place.js';

/** Pages of a folio of PMD size. */
const PAGES = 512;

/** What {@link partialUnmap} may be told. */
export interface PartialUnmapOptions {
  /** Folios of PMD size, in one VMA. Default 16. */
  readonly folios?: number;
  /** Holes of 16 pages unmapped in each folio. Default 4. */
  readonly holes?: number;
  /** Children that inherit the folios before the holes are made. Default 2. */
  readonly children?: number;
}

/**
 * Large folios that lose some of their pages: 2 MiB each by MADV_HUGEPAGE, shared by children, with holes made by the parent in its
 * own mappings; then memory pressure splits what is mapped in part. Marks: `whole`, `holes`, `split`.
 */
export function* partialUnmap({
  folios = 16,
  holes = 4,
  children = 2,
}: PartialUnmapOptions = {}): Generator<Header | BodyRecord, void> {
  yield generatedHeader('partial-unmap', { folios, holes, children });
  yield spawn(0);
  const start = Math.ceil(regionAt(0, 0) / PAGES) * PAGES;
  yield map(0, start, folios * PAGES);
  yield advise(0, start, folios * PAGES, MADV_HUGEPAGE);
  yield touch(0, 'write', start, folios * PAGES, PAGES);
  for (let child = 1; child <= children; child++) yield fork(child, 0);
  yield mark('whole');
  for (let folio = 0; folio < folios; folio++) {
    for (let hole = 0; hole < holes; hole++) yield unmap(0, start + folio * PAGES + 16 + hole * 64, 16);
  }
  yield mark('holes');
  yield act('split', 0, start, folios * PAGES);
  yield mark('split');
  for (let process = 0; process <= children; process++) yield exit(process);
}
