import { putPage } from '../folio/free.js';
import { isLarge, totalMapcount } from '../folio/mapcount.js';
import { DIRTY, SWAPCACHE } from '../folio/mem-map.js';
import type { Machine } from '../machine.js';
import type { Op } from '../sync/op.js';
import type { Folio, Pfn } from '../units.js';

/** A page-sized place in swap; 0 is none. */
export type SwapSlot = number;

/** The swap area: for each slot, how many entries name it, what it holds, and the folio that caches it. */
export class SwapArea {
  /** Swap entries that name the slot (swap_map). */
  readonly counts: number[] = [0];
  /** Contents, as the number of the write that made them. */
  readonly versions: number[] = [0];
  /** The folio in the swap cache, by slot. A large folio has neighbouring slots. */
  readonly cache = new Map<SwapSlot, Pfn>();
  /** The first slot of each folio in the swap cache. */
  readonly slots = new Map<Folio, SwapSlot>();
  /** Slots in use: named by entries, or cached. */
  live = 0;
  private readonly free: SwapSlot[] = [];
  /** Slots that are read past the swap cache now. */
  private readonly reading = new Set<SwapSlot>();

  constructor(private readonly limit: number) {}

  /** Whether so much is in use that what was read back need not stay (vm_swap_full). */
  get full(): boolean {
    return this.live * 2 > this.limit;
  }

  /** `pages` neighbouring slots, naturally aligned; null: swap is full. */
  alloc(pages: number): SwapSlot | null {
    if (this.live + pages > this.limit) return null;
    this.live += pages;
    if (pages === 1 && this.free.length > 0) return this.free.pop() as SwapSlot;
    const used = this.counts.length;
    const first = Math.ceil(used / pages) * pages;
    for (let slot = first - 1; slot >= used; slot--) this.free.push(slot);
    for (let slot = used; slot < first + pages; slot++) {
      this.counts.push(0);
      this.versions.push(0);
    }
    return first;
  }

  /** Whether none of the slots is cached, or read. */
  isApart(first: SwapSlot, pages: number): boolean {
    for (let slot = first; slot < first + pages; slot++) if (this.cache.has(slot) || this.reading.has(slot)) return false;
    return true;
  }

  /** Whether somebody reads the slot past the swap cache. */
  isRead(slot: SwapSlot): boolean {
    return this.reading.has(slot);
  }

  /** Begins to read slots past the swap cache, which nobody else may do meanwhile (swapcache_prepare); false: somebody has one of them, or it is free. */
  startReading(first: SwapSlot, pages: number): boolean {
    if (!this.isApart(first, pages)) return false;
    for (let slot = first; slot < first + pages; slot++) if (this.counts[slot] === 0) return false;
    for (let slot = first; slot < first + pages; slot++) this.reading.add(slot);
    return true;
  }

  /** The end of it (swapcache_clear). */
  stopReading(first: SwapSlot, pages: number): void {
    for (let slot = first; slot < first + pages; slot++) {
      this.reading.delete(slot);
      this.release(slot);
    }
  }

  /** Gives a slot back that no entry names, no folio caches and nobody reads. */
  release(slot: SwapSlot): void {
    if (this.counts[slot] > 0 || this.cache.has(slot) || this.reading.has(slot)) return;
    this.live--;
    this.free.push(slot);
  }
}

/** Puts a folio into the swap cache at neighbouring slots, which takes one reference a page (add_to_swap_cache). */
export function addToSwapCache(m: Machine, folio: Folio, slot: SwapSlot): void {
  const { mem, swap } = m;
  const pages = mem.pages(folio);
  mem.flags[folio] |= SWAPCACHE;
  mem.refcount[folio] += pages;
  swap.slots.set(folio, slot);
  for (let i = 0; i < pages; i++) swap.cache.set(slot + i, (folio + i) as Pfn);
}

/** Takes a locked folio out of the swap cache; somebody else still refers to it (delete_from_swap_cache). */
export function deleteFromSwapCache(m: Machine, folio: Folio): void {
  const { mem, swap } = m;
  const pages = mem.pages(folio);
  const slot = swap.slots.get(folio) as SwapSlot;
  swap.slots.delete(folio);
  mem.flags[folio] &= ~SWAPCACHE;
  mem.refcount[folio] -= pages;
  for (let i = 0; i < pages; i++) {
    swap.cache.delete(slot + i);
    swap.release(slot + i);
  }
}

/** Takes a folio out of the swap cache if no entry names its slots; whether it is out (folio_free_swap). */
export function freeSwap(m: Machine, folio: Folio): boolean {
  const { mem, swap } = m;
  if ((mem.flags[folio] & SWAPCACHE) === 0) return true;
  const slot = swap.slots.get(folio) as SwapSlot;
  for (let i = 0; i < mem.pages(folio); i++) if (swap.counts[slot + i] > 0) return false;
  deleteFromSwapCache(m, folio);
  mem.flags[folio] |= DIRTY; // there is no other copy of it now
  return true;
}

/** One swap entry less names `slot`; with the last one the swap cache lets go of a folio that nothing maps, or, where swap is full, of any (free_swap_and_cache). */
export function* freeSwapEntry(m: Machine, slot: SwapSlot): Op<void> {
  const { mem, swap } = m;
  if (--swap.counts[slot] > 0) return;
  const page = swap.cache.get(slot);
  if (page === undefined) {
    swap.release(slot);
    return;
  }
  const folio = mem.folioOf(page);
  if ((totalMapcount(mem, folio) > 0 && !swap.full) || !m.folioLock.tryLock(folio)) return;
  mem.refcount[folio]++;
  freeSwap(m, folio);
  m.folioLock.unlock(folio);
  yield* putPage(m, folio as number as Pfn);
}

/** The slot of one page of a folio in the swap cache (page_swap_entry). */
export function slotOfPage(m: Machine, page: Pfn): SwapSlot {
  const folio = isLarge(m.mem, page) ? m.mem.folioOf(page) : (page as number as Folio);
  return (m.swap.slots.get(folio) as SwapSlot) + (page - folio);
}
