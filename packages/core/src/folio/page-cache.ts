import type { Pfn } from '../units.js';

/** A file or a piece of shared memory that address spaces map: its pages by offset (address_space). */
export class FileMapping {
  /** Frame of each page that was read so far. */
  readonly pages = new Map<number, Pfn>();
  /** Offsets from which 512 pages were collapsed into one folio. */
  readonly collapsed = new Set<number>();
  constructor(
    readonly id: number,
    readonly name: string,
    /** Length in pages; a touch behind it gets SIGBUS. */
    readonly sizeInPages: number,
    /** Shared memory (shmem: memfd, tmpfs, MAP_SHARED without a file) rather than a file on disk. */
    readonly shmem: boolean,
    /** A page is there once somebody touched it, as in fresh shared memory; those of other files are there from the start. */
    readonly sparse: boolean,
  ) {}
}
