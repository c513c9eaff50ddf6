import {
  type Address,
  type Folio,
  type Kernel,
  MREMAP_FIXED,
  MREMAP_MAYMOVE,
  type Op,
  PAGE_SIZE,
  type Process,
} from '@rmap-lab/core';

/** A page of the area in which all scenarios play. */
export const at = (page: number): Address => (0x10000000 + page * PAGE_SIZE) as Address;

/** Pages where something is moved to, beyond the reach of a huge page around the others. */
export const AWAY = 1030;
export const FAR = 1050;

/** A parent and a child that share page 10 since a fork; the parent alone has page 11. Page 9 is never touched: what comes back to 10 merges with it, from behind. */
export interface Family {
  readonly parent: Process;
  readonly child: Process;
  readonly folio: Folio;
}

/** The folio mapped at a page that is known to be mapped. */
export function folioAt(process: Process, page: number): Folio {
  const folio = process.folioAt(at(page));
  if (folio === null) throw new RangeError(`page ${page} is not mapped`);
  return folio;
}

/** Maps pages [from, to). */
export const map = (process: Process, from: number, to: number): void => {
  process.mapAt(at(from), (to - from) * PAGE_SIZE);
};

/** Moves `pages` pages. */
export const move = (process: Process, from: number, to: number, pages: number): Op<Address> =>
  process.op.mremap(at(from), pages * PAGE_SIZE, pages * PAGE_SIZE, { flags: MREMAP_MAYMOVE | MREMAP_FIXED, to: at(to) });

/** The world of most scenarios. */
export function family(kernel: Kernel, [from, to]: readonly [number, number] = [9, 12]): Family {
  const parent = kernel.spawn();
  map(parent, from, to);
  parent.write(at(10));
  const child = parent.fork();
  parent.write(at(11));
  return { parent, child, folio: folioAt(parent, 10) };
}
