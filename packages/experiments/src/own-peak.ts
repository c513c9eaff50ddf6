import type { KernelStats, RmapStrategy } from '@rmap-lab/core';
import { isDesignCache } from './design-use.js';

/** Bytes of a strategy's fields in structs of core, by struct. */
export interface Added {
  readonly vma: number;
  readonly mm: number;
  readonly folio: number;
}

/** The most that a strategy took at once, VMAs that it alone keeps included. Peaks of its caches may lie at different times, so their sum is more than this. */
export interface OwnPeak {
  /** Objects of all its caches and unmapped VMAs that it kept, when they were most. */
  readonly objects: number;
  /** Bytes of them, when they were most. */
  readonly bytes: number;
  /** When they and its fields in structs of core took most together: those bytes, and just then the objects of each cache, the unmapped VMAs and the fields' bytes. */
  readonly together: {
    readonly bytes: number;
    readonly live: Readonly<Record<string, number>>;
    readonly zombies: number;
    readonly added: Added;
  };
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
  together: OwnPeak['together'] = { bytes: 0, live: {}, zombies: 0, added: { vma: 0, mm: 0, folio: 0 } };

  constructor(private readonly strategy: RmapStrategy) {}

  look({ slab, vmas, pages, zombies }: KernelStats): void {
    let [objects, bytes] = [zombies, zombies * slab.vm_area_struct.objectBytes];
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
    this.together = { bytes: all, live, zombies, added };
  }
}
