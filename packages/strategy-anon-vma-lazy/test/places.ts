import {
  type Address,
  type Folio,
  MAP_ANONYMOUS,
  MAP_NORESERVE,
  MAP_PRIVATE,
  MREMAP_FIXED,
  MREMAP_MAYMOVE,
  PAGE_SIZE,
  type Process,
} from '@rmap-lab/core';

/** A page of the range that the tests map. */
export const at = (page: number): Address => (0x40000000 + page * PAGE_SIZE) as Address;
/** So that touched and untouched memory have the same flags, and may merge. */
export const UNACCOUNTED = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;

/** Maps pages, and writes the first `touched` of them. */
export function map(process: Process, page: number, pages: number, touched = pages): void {
  process.mapAt(at(page), pages * PAGE_SIZE);
  for (let i = 0; i < touched; i++) process.write(at(page + i));
}

export function move(process: Process, from: number, to: number, pages: number): void {
  process.mremap(at(from), pages * PAGE_SIZE, pages * PAGE_SIZE, { flags: MREMAP_MAYMOVE | MREMAP_FIXED, to: at(to) });
}

export const folioAt = (process: Process, page: number): Folio => process.folioAt(at(page)) as Folio;
