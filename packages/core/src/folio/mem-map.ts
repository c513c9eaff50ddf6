import { NoMemory } from '../errors.js';
import type { AllocFailure } from '../slab/alloc-failure.js';
import { COUNTERS } from '../sync/counters.js';
import type { Folio, Pfn } from '../units.js';
import { largerThan } from './growth.js';

/** Flags of a page, 16 bits. */
export const ANON = 1;
/** A page of a file or of shared memory. */
export const FILE = 2;
/** One page shared by equal contents (PageKsm). */
export const KSM = 4;
/** Only one page table entry may refer to the page (PG_anon_exclusive). */
export const EXCLUSIVE = 8;
/** Swap-backed; clear on an anonymous page: lazily freeable (MADV_FREE). */
export const SWAPBACKED = 16;
export const DIRTY = 32;
/** Not the first page of its folio: the head's frame number is in the anchor column. */
const TAIL = 64;
export const LOCKED = 128;
/** The folio's order, in its head page. */
const ORDER_SHIFT = 8;
const ORDER_MASK = 15 << ORDER_SHIFT;
/** On the head of a large folio: more than one address space may map it (FOLIO_MM_IDS_SHARED_BIT). */
export const MAYBE_SHARED = 1 << 12;
/** On the head: in the swap cache, which has one reference a page (PG_swapcache). */
export const SWAPCACHE = 1 << 13;
/** On the head: it stays in memory, because of locked mappings that it has or had (PG_mlocked). */
export const MLOCKED = 1 << 14;
/** On the head: page idle tracking cleared an accessed bit, which reclaim has not seen (PG_young). */
export const WAS_USED = 1 << 15;
/** A page that belongs to a large folio has one of these bits. */
export const LARGE = TAIL | ORDER_MASK;

/** The shared zero page: never anonymous, never counted. */
export const ZERO_PFN = 0 as Pfn;

const INITIAL_PAGES = 64;
/** 1 GiB. */
const MANY_PAGES = 2 ** 18;
/** A page table entry holds 24 bits of frame number. */
const MAX_PAGES = 2 ** 24;
/** Pages of a folio that a PMD entry maps: 2^9. */
export const PMD_ORDER = 9;

/** `mem_map`: one row a page frame, as a struct of arrays. A row of a free frame holds zeros and, in `index`, the next free frame. */
export class MemMap {
  static readonly [COUNTERS] = ['live', 'peak'];
  /** The strategy's word of an anonymous folio; the file's number of a file page. */
  anchor = new Int32Array(INITIAL_PAGES);
  /** Page offset of the folio's first page (`folio->index`). */
  index = new Float64Array(INITIAL_PAGES);
  refcount = new Int32Array(INITIAL_PAGES);
  /** PTEs that map the page; those of PMD size are counted per folio, see `mapcount.ts`. */
  mapcount = new Int32Array(INITIAL_PAGES);
  flags = new Uint16Array(INITIAL_PAGES);
  /** Number of the write that made the page's contents, or of the page of a file; 0: zeros. Stands for the contents. */
  version = new Int32Array(INITIAL_PAGES);
  /** Locked mappings of each folio that is {@link MLOCKED}, as far as the kernel counts them (folio->mlock_count). */
  readonly mlockCount = new Map<Folio, number>();
  live = 0;
  peak = 0;
  /** Frames used so far: rows at and behind it were never used. */
  used = 1;
  private free_ = 0;
  /** Free blocks of a large order, by order: their first frames. */
  private readonly blocks: Pfn[][] = Array.from({ length: PMD_ORDER + 1 }, () => []);

  constructor(
    private readonly failure: AllocFailure,
    private readonly limit: number,
  ) {}

  /** Bytes of all columns. */
  get bytes(): number {
    const columns = [this.anchor, this.index, this.refcount, this.mapcount, this.flags, this.version];
    return columns.reduce((sum, column) => sum + column.byteLength, 0);
  }

  /** A free frame with refcount 1 and every other column 0. @throws NoMemory */
  alloc(): Pfn {
    this.failure.check('page');
    let pfn = this.free_;
    if (pfn !== 0) {
      this.free_ = this.index[pfn];
      this.index[pfn] = 0;
    } else if (this.used < this.anchor.length || !this.breakBlock()) {
      if (this.used === this.anchor.length) this.grow(1);
      pfn = this.used++;
    } else {
      pfn = this.free_;
      this.free_ = this.index[pfn];
      this.index[pfn] = 0;
    }
    this.refcount[pfn] = 1;
    if (++this.live > this.peak) this.peak = this.live;
    return pfn as Pfn;
  }

  /** The same; null instead of an error. */
  tryAlloc(): Folio | null {
    try {
      return this.alloc() as number as Folio;
    } catch (error) {
      if (error instanceof NoMemory) return null;
      throw error;
    }
  }

  /** A free folio of 2^order pages, naturally aligned, with refcount 1; null: no such block, take a smaller one. */
  allocLarge(order: number): Folio | null {
    if (this.failure.fails()) return null;
    const pages = 1 << order;
    let head = this.blocks[order].pop() ?? 0;
    if (head === 0) {
      const start = (this.used + pages - 1) & -pages;
      if (start + pages > this.anchor.length && !this.canGrow(start + pages)) return null;
      if (start + pages > this.anchor.length) this.grow(start + pages - this.used);
      while (this.used < start) this.putFree(this.used++ as Pfn);
      head = start as Pfn;
      this.used = start + pages;
    }
    this.flags[head] = order << ORDER_SHIFT;
    for (let tail = head + 1; tail < head + pages; tail++) {
      this.flags[tail] = TAIL;
      this.anchor[tail] = head;
    }
    this.refcount[head] = 1;
    this.live += pages;
    if (this.live > this.peak) this.peak = this.live;
    return head as number as Folio;
  }

  /** Gives a whole large folio back; nobody refers to it. */
  freeLarge(folio: Folio): void {
    const order = this.order(folio);
    const pages = 1 << order;
    for (let pfn = folio as number; pfn < folio + pages; pfn++) this.clear(pfn as Pfn);
    this.blocks[order].push(folio as number as Pfn);
    this.live -= pages;
  }

  /** Makes 2^order pages from `head` on a folio of its own, a piece of a larger one; the anchor of `head` is the caller's. */
  cut(head: Pfn, order: number): void {
    this.flags[head] = (this.flags[head] & ~(LARGE | MAYBE_SHARED)) | (order << ORDER_SHIFT);
    for (let tail = head + 1; tail < head + (1 << order); tail++) this.anchor[tail] = head;
  }

  /** Gives a frame back; nobody refers to it. */
  free(pfn: Pfn): void {
    this.clear(pfn);
    this.putFree(pfn);
    this.live--;
  }

  private clear(pfn: Pfn): void {
    this.anchor[pfn] = 0;
    this.refcount[pfn] = 0;
    this.mapcount[pfn] = 0;
    this.flags[pfn] = 0;
    this.version[pfn] = 0;
    this.index[pfn] = 0;
  }

  private putFree(pfn: Pfn): void {
    this.index[pfn] = this.free_;
    this.free_ = pfn;
  }

  /** Turns a free large block into single free frames, so that memory does not grow while some is free. */
  private breakBlock(): boolean {
    const order = this.blocks.findIndex((blocks) => blocks.length > 0);
    if (order < 0) return false;
    const head = this.blocks[order].pop() as number;
    for (let pfn = head + (1 << order) - 1; pfn >= head; pfn--) this.putFree(pfn as Pfn);
    return true;
  }

  /** The folio that a page belongs to (page_folio). */
  folioOf(pfn: Pfn): Folio {
    return ((this.flags[pfn] & TAIL) !== 0 ? this.anchor[pfn] : pfn) as number as Folio;
  }

  /** Pages of a folio. */
  pages(folio: Folio): number {
    return 1 << this.order(folio);
  }

  /** log2 of {@link pages}. */
  order(folio: Folio): number {
    return (this.flags[folio] & ORDER_MASK) >> ORDER_SHIFT;
  }

  private canGrow(frames: number): boolean {
    return frames <= Math.min(this.limit, MAX_PAGES);
  }

  private grow(more: number): void {
    let capacity = this.anchor.length;
    while (capacity < this.used + more) capacity = largerThan(capacity, MANY_PAGES);
    capacity = Math.min(capacity, this.limit, MAX_PAGES);
    if (capacity < this.used + more) throw new NoMemory('page');
    const ints = (column: Int32Array): Int32Array<ArrayBuffer> => {
      const copy = new Int32Array(capacity);
      copy.set(column);
      return copy;
    };
    this.anchor = ints(this.anchor);
    this.refcount = ints(this.refcount);
    this.mapcount = ints(this.mapcount);
    this.version = ints(this.version);
    const { index, flags } = this;
    this.index = new Float64Array(capacity);
    this.index.set(index);
    this.flags = new Uint16Array(capacity);
    this.flags.set(flags);
  }
}
