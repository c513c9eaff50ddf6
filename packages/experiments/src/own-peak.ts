import type { KernelStats, RmapStrategy } from '@rmap-lab/core';
import { isDesignCache } from './design-use.js';

/** Bytes of a strategy's fields in structs of core, by struct. */
export interface Added {
  readonly vma: number;
  readonly mm: number;
  readonly folio: number;
}

/** The most that a strategy took at once. Peaks of its caches may lie at different times, so their sum is more than this. */
export interface OwnPeak {
  /** Objects of all its caches, when they were most. */
  readonly objects: number;
  /** Bytes of all its caches, when they were most. */
  readonly bytes: number;
  /** When its caches and its fields in structs of core took most together: those bytes, and the objects of each cache and the fields' bytes just then. */
  readonly together: { readonly bytes: number; readonly live: Readonly<Record<string, number>>; readonly added: Added };
}

/** Bytes of a strategy's fields in `vmas` VMAs, `mms` address spaces and `pages` pages. */
export const addedIn = ({ bytes }: RmapStrategy, vmas: number, mms: number, pages: number): Added => ({
  vma: bytes.vma * vmas,
  mm: bytes.mm * mms,
  folio: bytes.folio * pages,
});

/** Watches what a strategy takes, from between two records. */
export class OwnPeakMeter implements OwnPeak {
  objects = 0;
  bytes = 0;
  together: OwnPeak['together'] = { bytes: 0, live: {}, added: { vma: 0, mm: 0, folio: 0 } };

  constructor(private readonly strategy: RmapStrategy) {}

  look({ slab, vmas, pages }: KernelStats): void {
    let [objects, bytes] = [0, 0];
    for (const name in slab) {
      if (!isDesignCache(name)) continue;
      objects += slab[name].live;
      bytes += slab[name].live * slab[name].objectBytes;
    }
    this.objects = Math.max(this.objects, objects);
    this.bytes = Math.max(this.bytes, bytes);
    const added = addedIn(this.strategy, vmas.live, slab.mm_struct.live, pages.live);
    const all = bytes + added.vma + added.mm + added.folio;
    if (all <= this.together.bytes) return;
    const live = Object.fromEntries(
      Object.entries(slab).flatMap(([name, its]) => (isDesignCache(name) ? [[name, its.live]] : [])),
    );
    this.together = { bytes: all, live, added };
  }
}
