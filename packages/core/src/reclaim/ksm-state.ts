import type { Mm } from '../mm/mm.js';
import type { RmapHold } from '../rmap/contract.js';
import type { Address, Pfn } from '../units.js';

/** Where a KSM page was mapped when it was merged, and the pinned reverse map of that VMA (ksm_rmap_item). */
export interface RmapItem {
  readonly mm: Mm;
  readonly mmId: number;
  readonly address: Address;
  readonly hold: RmapHold;
  /** The last scan that met the page there. */
  scan: number;
}

/** What KSM knows. A stable node is found by its contents or by its page; it dies with the page. */
export class KsmState {
  /** Address spaces that KSM looks through, in the order in which they came: by madvise, or forked from one that had (ksm_mm_head). */
  readonly mms = new Map<number, Mm>();
  /** Items of each KSM page (the stable tree). */
  readonly stable = new Map<Pfn, RmapItem[]>();
  /** The KSM page of each contents. */
  readonly byContents = new Map<number, Pfn>();
  /** Pages that had further mappings when they became pages of KSM: what the items reach need not cover those. */
  readonly sharedBefore = new Set<Pfn>();
  /** Items whose page is gone, or that a scan did not meet, until a scan lets go of their pins. */
  readonly stale: RmapItem[] = [];
  /** Scans so far. */
  scans = 0;

  /** Pins held. */
  get items(): number {
    return [...this.stable.values()].reduce((sum, items) => sum + items.length, this.stale.length);
  }

  /** The page is freed. */
  forget(page: Pfn, contents: number): void {
    this.stale.push(...(this.stable.get(page) ?? []));
    this.stable.delete(page);
    this.sharedBefore.delete(page);
    if (this.byContents.get(contents) === page) this.byContents.delete(contents);
  }
}
