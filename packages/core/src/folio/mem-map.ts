import { NoMemory } from '../errors.js';
import type { AllocFailure } from '../slab/alloc-failure.js';
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

/** The shared zero page: never anonymous, never counted. */
export const ZERO_PFN = 0 as Pfn;

const INITIAL_PAGES = 64;
/** 1 GiB. */
const MANY_PAGES = 2 ** 18;
/** A page table entry holds 24 bits of frame number. */
const MAX_PAGES = 2 ** 24;

/** `mem_map`: one row a page frame, as a struct of arrays. A row of a free frame holds zeros and, in `index`, the next free frame. */
export class MemMap {
  /** The strategy's word of an anonymous folio; the file's number of a file page. */
  anchor = new Int32Array(INITIAL_PAGES);
  /** Page offset of the folio's first page (`folio->index`). */
  index = new Float64Array(INITIAL_PAGES);
  refcount = new Int32Array(INITIAL_PAGES);
  /** Page table entries that map the page. */
  mapcount = new Int32Array(INITIAL_PAGES);
  flags = new Uint16Array(INITIAL_PAGES);
  /** Number of the write that made the page's contents; 0: zeros. Stands for the contents. */
  version = new Int32Array(INITIAL_PAGES);
  live = 0;
  peak = 0;
  /** Frames used so far: rows at and behind it were never used. */
  used = 1;
  private free_ = 0;

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
    } else {
      if (this.used === this.anchor.length) this.grow();
      pfn = this.used++;
    }
    this.refcount[pfn] = 1;
    if (++this.live > this.peak) this.peak = this.live;
    return pfn as Pfn;
  }

  /** Gives a frame back; nobody refers to it. */
  free(pfn: Pfn): void {
    this.anchor[pfn] = 0;
    this.refcount[pfn] = 0;
    this.mapcount[pfn] = 0;
    this.flags[pfn] = 0;
    this.version[pfn] = 0;
    this.index[pfn] = this.free_;
    this.free_ = pfn;
    this.live--;
  }

  /** The folio that a page belongs to (page_folio). */
  folioOf(pfn: Pfn): Folio {
    return ((this.flags[pfn] & TAIL) !== 0 ? this.anchor[pfn] : pfn) as number as Folio;
  }

  /** Pages of a folio. */
  pages(folio: Folio): number {
    return 1 << ((this.flags[folio] & ORDER_MASK) >> ORDER_SHIFT);
  }

  private grow(): void {
    const capacity = Math.min(largerThan(this.anchor.length, MANY_PAGES), this.limit, MAX_PAGES);
    if (capacity <= this.used) throw new NoMemory('page');
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
