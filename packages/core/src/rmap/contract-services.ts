import type { Op } from '../sync/op.js';
import type { Address, Folio, Pfn, Pgoff, Ref } from '../units.js';
import type { PteSpan } from './contract.js';

/** What core gives a strategy. Every call is counted, traced and failure-injected there, not in the strategy. */
export interface RmapServices {
  readonly folios: FolioView;
  /** A slab cache of a name of its own; `bytes` as in Linux 6.18 (a kernel of another `layout` counts its own); of `marked` fields every access is a marked one.
   *  @throws RangeError when the name is taken */
  slab<T extends object>(
    name: string,
    options: { bytes: number; create: () => T; typesafeByRcu?: boolean; marked?: readonly string[] },
  ): SlabCache<T>;
  /** A sleeping lock of a declared class. @throws RangeError when the class is not declared */
  rwsem(lockClass: string): RwSem;
  /** A spinning lock of a declared class. @throws RangeError when the class is not declared */
  spinlock(lockClass: string): SpinLock;
  readonly rcu: RcuView;
  /** READ_ONCE: racy by design, still explored. */
  load<O extends object, K extends keyof O>(object: O, key: K): Op<O[K]>;
  /** WRITE_ONCE. */
  store<O extends object, K extends keyof O>(object: O, key: K, value: O[K]): Op<void>;
  /** A strategy's own fields of a VMA, made at first use; core never copies them. */
  perVma<T>(create: (vma: Vma) => T): Cell<Vma, T>;
  /** The same for address spaces. */
  perMm<T>(create: (mm: Mm) => T): Cell<Mm, T>;
  readonly vmaRefs: VmaRefs;
  /** All address spaces by id: an ancestor comes before its descendants. */
  mms(): Op<readonly Mm[]>;
  /** Whether two neighbours may share what the strategy keeps, by all but its own say (anon_vma_compatible). */
  couldShare(left: Vma, right: Vma): boolean;
  /** Where the first of the wanted offsets lies in `vma`, clipped; null when none does (vma_address). */
  addressIn(vma: Vma, first: Pgoff, last: Pgoff): Address | null;
  /** Shows all entries of a VMA, a table at a time, under its lock: nothing in `look` may wait. @locks mmap:W */
  eachSpan(vma: Vma, look: (span: PteSpan) => void): Op<void>;
  /**
   * Counts a primitive. Of a walk, comparisons show 'tree-node' and 'context' as nodes, and 'vma-lookup' and 'record-lookup' as look-ups: only
   * the strategy can count those. Core counts 'folio-rewritten' itself: an anchor that took the place of another.
   */
  count(primitive: string, n?: number): void;
}

/** RCU read sections and grace periods. */
export interface RcuView {
  /** Opens a read section; sections nest. */
  readLock(): void;
  /** Closes it. */
  readUnlock(): void;
  /** Waits for a grace period. */
  synchronize(): Op<void>;
}

/** References and locks of VMAs that a strategy may take. */
export interface VmaRefs {
  /** Keeps the VMA object beyond its unmapping; false when it is free: unmapped, and the last reference given back. */
  tryGet(vma: Vma): boolean;
  /** Gives a reference back. */
  put(vma: Vma): void;
  /** The VMA as a uint31 that fits the anchor word. */
  ref(vma: Vma): Ref<Vma>;
  /** The VMA of a reference. Inside an RCU section it may be free or another by now. @throws UseAfterFree outside, when it is free */
  at(ref: Ref<Vma>): Vma;
  /** Read-locks the VMA if it is mapped and nobody changes it. */
  tryReadLock(vma: Vma): boolean;
  /** Leaves that lock. */
  readUnlock(vma: Vma): void;
}

/** The columns of `mem_map` that a strategy may see. */
export interface FolioView {
  /** The strategy's word; a plain read, under PTL or folio lock. */
  anchor(folio: Folio): number;
  /** The same without a lock: a scheduling point. */
  readAnchor(folio: Folio): Op<number>;
  /** Only in the hooks anchor, transfer and mapping, and under the lock of an entry that maps it. @throws RangeError when `word` is no whole number below 2^31 */
  setAnchor(folio: Folio, word: number): void;
  /** Whether any entry maps it, without a lock (folio_mapped). */
  mapped(folio: Folio): Op<boolean>;
  /** Whether more than one address space may map it, without a lock; of a folio with one page, more than one entry (folio_maybe_mapped_shared). */
  maybeMappedShared(folio: Folio): Op<boolean>;
  /** The folio that a page belongs to. */
  of(page: Pfn): Folio;
  /** Page offset of its first page. */
  index(folio: Folio): Pgoff;
  /** Its size in pages. */
  pages(folio: Folio): number;
}

/** A cache of objects of one kind. */
export interface SlabCache<T extends object> {
  /** GFP_KERNEL: may reclaim, hence wait. @throws NoMemory */
  alloc(): Op<T>;
  /** GFP_NOWAIT, for use under a lock; null without memory. */
  tryAlloc(): T | null;
  /** Gives an object back at once. */
  free(object: T): void;
  /** Gives it back after a grace period. */
  freeRcu(object: T): void;
  /** The object as a uint31 that fits the anchor word. */
  ref(object: T): Ref<T>;
  /** The object of a reference. @throws UseAfterFree on a stale one (type-safe caches: unless inside an RCU section) */
  at(ref: Ref<T>): T;
}

/** A reader-writer semaphore: many readers or one writer. */
export interface RwSem {
  /** Waits for reading. */
  read(): Op<void>;
  /** Waits for writing. */
  write(): Op<void>;
  /** Takes it for reading if that needs no waiting. */
  tryRead(): boolean;
  /** Takes it for writing if that needs no waiting. */
  tryWrite(): boolean;
  /** Waits until nobody holds it, for whoever frees what it lies in; where nobody does it is not taken (`rwsem_is_locked` comes first). */
  drain(): Op<void>;
  /** Leaves it as a reader. */
  readUnlock(): void;
  /** Leaves it as the writer. */
  writeUnlock(): void;
}

/** A spinlock: its holder may not sleep. */
export interface SpinLock {
  /** Waits for it. */
  lock(): Op<void>;
  /** Takes it if it is free. */
  tryLock(): boolean;
  /** Leaves it. */
  unlock(): void;
}

/** Values that belong to keys of core's. */
export interface Cell<K, T> {
  /** The value of `key`. */
  of(key: K): T;
}

/** An address space as a strategy sees it. */
export interface Mm {
  readonly id: number;
  readonly vmas: VmaView;
  /** Keeps it from being torn down; false when its last user is gone (mmget_not_zero). */
  tryPin(): Op<boolean>;
  /** Gives the pin back; a last one leaves the teardown to a worker (mmput_async). */
  unpin(): void;
}

/** A VMA as a strategy sees it: reads only. */
export interface Vma {
  readonly id: number;
  readonly mm: Mm;
  /** In mm_mt. */
  readonly attached: boolean;
  /** May hold anonymous pages (`vma->anon_vma != NULL`). */
  readonly faulted: boolean;
  readonly start: Address;
  readonly end: Address;
  /** The offset that keys its first anonymous page. */
  readonly anonPgoff: Pgoff;
  /** Page number of the start less `anonPgoff`: 0 until it was moved. */
  readonly delta: number;
}

/** `mm_mt`; look-ups are scheduling points and need RCU, mmap_lock or a pinned mm. */
export interface VmaView {
  /** The VMA that contains `address`, else the first above it, else null. */
  find(address: Address): Op<Vma | null>;
  /** All VMAs that touch [start, end), ascending. */
  overlapping(start: Address, end: Address): Op<readonly Vma[]>;
  /** The neighbour below. */
  prev(vma: Vma): Vma | null;
  /** The neighbour above. */
  next(vma: Vma): Vma | null;
}
