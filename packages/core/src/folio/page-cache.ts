import type { Pfn } from '../units.js';

/** A file or a piece of shared memory that address spaces map: its pages by offset (address_space). */
export class FileMapping {
  /** Frame of each page that was read so far. */
  readonly pages = new Map<number, Pfn>();
  constructor(
    readonly id: number,
    readonly name: string,
    /** Length in pages; a touch behind it gets SIGBUS. */
    readonly sizeInPages: number,
  ) {}
}
