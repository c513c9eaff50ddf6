import type { Op, Soon } from '../sync/op.js';
import type { Address, Folio, Pfn, Pgoff } from '../units.js';
import type { Mm, RmapServices, Vma } from './contract-services.js';

export type * from './contract-services.js';

/** A reverse-map design: what core must know before it makes one, and how to make it. */
export interface RmapStrategy {
  /** 'anon-vma'; unique, also the package's short name. */
  readonly name: string;
  /** Version of this file; core refuses others by name. */
  readonly contract: 1;
  /** Must the first fault look at neighbours? (vmf_anon_prepare's retry). */
  readonly prepareUnder: 'mmap-lock' | 'vma-lock';
  /** KSM walks start from a VMA's anchor, or from the page itself: then the walk visits each place of it, several in one VMA. */
  readonly ksm: 'anchors' | 'direct';
  /** The lock classes that it takes, outer first. */
  readonly locks: readonly LockClass[];
  /** Fields it adds to core's structs, for the accounts. */
  readonly bytes: { vma: number; mm: number; folio: number };
  /** Refused with Unsupported(reason), never half done. */
  readonly unsupported?: Partial<Record<Feature, string>>;
  /**
   * Managed: all state is in fields, elements, maps and sets that are reached from what `create` returns and from slab objects, none in
   * closures or `#private` fields. The explorer then puts a machine back instead of making one for each schedule. Default 'free'.
   */
  readonly state?: 'managed' | 'free';
  /** How its costs grow at most, as far as it promises; the conformance suite holds it to that. Default: nothing promised. */
  readonly growth?: Readonly<Partial<Record<Cost, Growth>>>;
  /** One per Kernel; nothing global. */
  create(services: RmapServices): Rmap;
}
/** What a strategy may say it can't do. */
export type Feature = 'large-folio' | 'private-file' | 'swap' | 'migrate' | 'ksm' | 'uffd-move' | 'collapse' | 'folio-split';
/**
 * What may grow. Its objects that are alive: with 'vmas', n written VMAs of one process; with 'children', n that write to the same page; in 'depth', n forks in a
 * line, all alive; over 'generations', the same where each parent exits. VMAs that a walk looks at for a child's own copy of a page: with n 'siblings'.
 */
export type Cost = 'vmas' | 'children' | 'depth' | 'generations' | 'siblings';
/** No faster than that, in n. */
export type Growth = 'constant' | 'linear' | 'quadratic';
/** A strategy's lock class: its name, its place in the lock order, its kind. */
export interface LockClass { readonly name: string; readonly slot: 'above-ptl' | 'below-ptl'; readonly kind: 'rwsem' | 'spin' }

/** One design at work in one kernel. Each hook says who calls it, under which locks, whether it may sleep, and what it may throw. */
export interface Rmap {
  // ---- address spaces ---------------------------------------------------------------------------------------------
  /** A new mm, before its first VMA. @from spawn, exec, fork @locks none @ctx sleep @fails NoMemory @kernel mm_init */
  mmInit?(mm: Mm): Soon<void>;
  /** Brackets the duplication of all VMAs and page tables: call `copy` exactly once, holding no lock over it, let its exception pass.
   *  After a failed copy core tears the child down like an exiting mm, so keep what makes the child's entries findable until mmExit.
   *  @from fork, after mmInit(child) @locks mmap:W of both @ctx sleep @fails NoMemory, before `copy` only @kernel dup_mmap */
  forkMm?(child: Mm, parent: Mm, copy: () => Op<void>): Op<void>;
  /** No user, VMA or page table is left; the mm object is freed on return. @from last drop @locks none @ctx sleep @kernel __mmdrop */
  mmExit?(mm: Mm): Soon<void>;

  // ---- VMAs -------------------------------------------------------------------------------------------------------
  /** Post: anonymous pages may be mapped in `vma`. Called while !vma.faulted; two faults may be inside at once, so look again under your lock.
   *  @from anon, CoW and PMD-size faults, stack growth, guard install, uffd fill/move @locks as `prepareUnder` says, for reading
   *  @ctx sleep @fails NoMemory @kernel __anon_vma_prepare */
  prepare(vma: Vma): Soon<void>;
  /** `child`: fresh copy of faulted `parent`, not yet in the child's mm_mt, no entries yet. Not called for DONTCOPY, WIPEONFORK, unfaulted.
   *  Post: whatever is or gets mapped in parent at an offset and is copied to child is findable there. May change `parent`'s own state (lazy upgrade).
   *  @from dup_mmap @locks mmap:W both, vma:W parent @ctx sleep @fails NoMemory: child clean, parent still right @kernel anon_vma_fork */
  fork(child: Vma, parent: Vma): Soon<void>;
  /** `to` will hold entries of `from`. 'split': fresh, final range, same delta. 'move': fresh *or an existing unfaulted neighbour of the destination*,
   *  another delta. 'merge': existing, unfaulted, about to be extended over `from`. Called before `adjust` or any entry moves.
   *  @from split_vma, copy_vma, dup_anon_vma @locks mmap:W, vma:W @ctx sleep @fails NoMemory: `to` clean @kernel anon_vma_clone */
  clone(to: Vma, from: Vma, why: 'split' | 'move' | 'merge'): Soon<void>;
  /** Inverse of whatever prepare, fork, clone did for `vma`. It holds no entry any more. Returns only when no walk can still be inside its page
   *  tables: core frees them next. `vma` may stay attached (DONTUNMAP source, undone merge) and be prepared again.
   *  @from free_pgtables, exit, DONTUNMAP, failed merge, split, move, fork @locks mmap:W, or mmap:R with `vma` detached @ctx sleep @kernel unlink_anon_vmas */
  unlink(vma: Vma): Soon<void>;
  /** May the memory of `source` become part of `target`? Flags, file, policy and both offsets already fit. Pure. Absent: always.
   *  'new': fresh range, source null. 'modified': mprotect and the like. 'moved': mremap destination. 'grown': mremap grew `source` up to `target`
   *  (the kernel skips the fork test on source there). 'bridge': `source` = prev, `target` = next, joined by the range between them.
   *  @from vma_merge @locks mmap:W @ctx spin @kernel is_mergeable_anon_vma */
  canMerge?(source: Vma | null, target: Vma, how: 'new' | 'modified' | 'moved' | 'grown' | 'bridge'): boolean;
  /** Which of two mergeable VMAs lives on. Null or absent: the kernel's choice. @from vma_merge @locks mmap:W @ctx spin @kernel none (offered in the debate) */
  survivor?(left: Vma, right: Vma): Vma | null;
  /** Ranges or offsets of up to three VMAs change inside `apply`: call it exactly once. VMAs in `removed` are unlinked right after. `apply` neither
   *  waits for sleeping locks nor allocates, so locks may be held over it. Absent: core calls apply itself.
   *  @from split, merge, expand, shrink, stack growth, exec stack @locks mmap:W, vma:W of all, i_mmap @ctx sleep
   *  @fails NoMemory, before `apply` only @kernel vma_prepare .. vma_complete, vma_expand, expand_downwards */
  adjust?(change: VmaAdjust): Op<void>;
  /** Entries travel, one page table's worth at a time: `while (yield* m.next()) yield* m.step()`. next() allocates tables, holds nothing and may throw
   *  NoMemory (let it pass: core undoes with a 'rollback' move); step() neither waits for sleeping locks nor allocates, so locks may be held over it. Absent: that loop.
   *  @from mremap, its undo, exec's stack shift (from === to) @locks mmap:W, vma:W both @ctx sleep @fails NoMemory, before the first next @kernel move_page_tables */
  move?(move: PageTableMove): Op<void>;

  // ---- folios: the anchor word ------------------------------------------------------------------------------------
  /** Point `folio` at where a walk must start so that it finds entries in `vma`. 'new': fresh and exclusive. 'new-shared': read back from swap,
   *  other mms may hold swap entries to it. 'reuse': the only user keeps it at a write; may be ignored. 'rehome': UFFDIO_MOVE brought it to `vma`, old anchor invalid.
   *  @from faults, CoW, collapse, swap-in, UFFDIO_MOVE @locks PTL; FL for reuse and rehome @ctx spin @kernel __folio_set_anon, folio_move_anon_rmap */
  anchor(folio: Folio, vma: Vma, event: 'new' | 'new-shared' | 'reuse' | 'rehome'): Soon<void>;
  /** May core map this still-anchored swap-cache folio in `vma` as it stands? false: core maps a private copy. Pure.
   *  @from swap-in, swapoff @locks mmap or vma:R, FL @ctx spin @kernel ksm_might_need_to_copy */
  reaches(folio: Folio, vma: Vma): boolean;
  /** `to` takes over (migrate: new place; split: tail of `from`) and must be found from the same anchor. Absent: the word is copied.
   *  @from migration, folio split @locks FL both; no entry is present, migration entries are @ctx spin @kernel __folio_migrate_mapping, __split_folio_to_order */
  transfer?(to: Folio, from: Folio, why: 'migrate' | 'split'): Soon<void>;
  /** The anchor of `folio` is about to vanish: last reference gone, or (`ksm: 'anchors'`) it becomes a KSM page. @from anywhere @locks any, perhaps a PTL @ctx spin @kernel free_unref_folios */
  drop?(folio: Folio): Soon<void>;

  // ---- single entries: only for designs that record or rewrite per entry -------------------------------------------
  /** Memory for `mapping` calls about `pages` pages to come; not before a rollback, which only undoes. @from before the PTL @ctx sleep @fails NoMemory @kernel 2.5's pte_chain_alloc */
  reserve?(pages: number): Soon<void>;
  /** Entries of `span` are about to be stored. 'fork' and 'move' read them at `from`. Present and migration entries both count; a present entry
   *  turning into a migration entry or back is no event; a swap or zero-page entry is none either. `level: 'table'`: a whole table moves.
   *  @from fault, fork, move, swap-in, KSM, collapse @locks PTL of span and from @ctx spin @kernel folio_add_anon_rmap_*, folio_try_dup_anon_rmap_* */
  mapping?(span: PteSpan, why: 'new' | 'fork' | 'move', from: PteSpan | null): Soon<void>;
  /** Entries of `span` were cleared or became swap entries (not: moved). @from zap, CoW, swap-out, collapse, KSM @locks PTL @ctx spin @kernel folio_remove_rmap_* */
  unmapped?(span: PteSpan): Soon<void>;

  // ---- walking ----------------------------------------------------------------------------------------------------
  /** 'pin': a later walk finds the folio's entries even while none is present, also those that forks and moves make meanwhile, also for the folio that
   *  took over by `transfer`; walks under it lock for themselves. 'read': one walk is about to run. 'write': no other walk of the folio is inside visit
   *  until release; several walks may run under it. A hold is self-contained: `anchor` and `transfer` may change the folio before `release`.
   *  GONE: not mapped. BUSY: can't now, try later; the one way to decline when `wait` is false.
   *  @from referenced, try_to_unmap, migration (pin), folio split and UFFDIO_MOVE (write), idle tracking, memory failure
   *  @locks a folio reference; FL for pin and write, FL or nothing for read @ctx sleep
   *  @kernel folio_lock_anon_vma_read, folio_get_anon_vma, anon_vma_lock_write */
  hold(folio: Folio, mode: 'pin' | 'read' | 'write', wait: boolean): Soon<RmapHold>;
  /** The same, starting from a VMA: 'pin' is what a KSM item keeps, 'write' keeps walks out of `vma` while collapse withdraws its table.
   *  @from KSM merge, collapse @locks mmap:R + FL, or mmap:W + vma:W @ctx sleep @kernel get_anon_vma(vma->anon_vma), anon_vma_lock_write */
  holdVma(vma: Vma, mode: 'pin' | 'write'): Soon<RmapHold>;
  /** @locks as at hold, or none @ctx sleep @kernel anon_vma_unlock_*, put_anon_vma */
  release(hold: RmapHold): Soon<void>;
  /** Offer every VMA that may map `query`: a superset is fine, core checks the entries under the PTL; less than the truth never. Under a 'pin' the walk
   *  locks for itself. `query.folio` may be the transfer target, not the folio that was held. `visit` false: stop. Idiom: `const r = v.visit(vma, a); if (!(typeof r === 'boolean' ? r : yield* r)) return;`
   *  @from rmap_walk, remove_migration_ptes, KSM walk @ctx sleep @kernel rmap_walk_anon */
  walk(hold: RmapHold, query: RmapQuery, visitor: RmapVisitor): Op<void>;

  /** The strategy's objects and edges, for viewer and failure reports; changes nothing. Absent: derived from the slab caches. */
  inspect?(): ObjectGraph;
}

/** What a walk looks for. `first`..`last`: offsets wanted; a folio's own index range, or for KSM the item's (7.3) or everything (6.18).
 *  `mappings`: entries that existed when the walk began, for "all found, stop" shortcuts; null where the map count says nothing (migration entries,
 *  KSM) or a swap-in may add to it unseen (swap cache). A fork may add to it, and splitting a PMD entry makes 512 of one. */
export interface RmapQuery { readonly folio: Folio; readonly first: Pgoff; readonly last: Pgoff; readonly mappings: number | null }
/** What a walk offers its candidates to. */
export interface RmapVisitor {
  /** Entries confirmed under the PTL so far in this pass. */
  readonly found: number;
  /** `address`: of the lowest wanted page inside `vma`. May wait for a PTL or sleep: hold no spinlock and no RCU section over it. */
  visit(vma: Vma, address: Address): Soon<boolean>;
  /** Say this before a second pass over the same query (a retry): counting visitors start again. */
  restart(): void;
}
/** Ranges and offsets of up to three VMAs that change in one go. */
export interface VmaAdjust {
  /** The new values; the old ones are still on each VMA. */
  readonly changes: readonly { readonly vma: Vma; readonly start: Address; readonly end: Address; readonly anonPgoff: Pgoff }[];
  /** A split's new half: already cloned, becomes visible in {@link apply}. */
  readonly inserted: Vma | null;
  /** Swallowed by a merge: they vanish from mm_mt in {@link apply}. */
  readonly removed: readonly Vma[];
  /** Makes the change; neither waits for sleeping locks nor allocates. */
  apply(): Op<void>;
}

/** Entries that travel from one place of an address space to another. */
export interface PageTableMove {
  readonly why: 'mremap' | 'rollback' | 'exec-stack';
  readonly from: Vma;
  readonly to: Vma;
  /** The destination is an existing VMA, so walk order is not creation order (need_rmap_locks). */
  readonly merged: boolean;
  readonly fromStart: Address;
  readonly toStart: Address;
  readonly bytes: number;
  /** Finds and prepares the next extent; false at the end. Allocates tables, holds nothing. @throws NoMemory */
  next(): Op<boolean>;
  /** What {@link step} will move; 'table' moves a lower table without touching its entries. */
  readonly level: 'pte' | 'pmd' | 'table';
  /** Moves the extent; neither waits for sleeping locks nor allocates. */
  step(): Op<void>;
}

/** Neighbouring entries of one table; reused by core, don't keep it. */
export interface PteSpan {
  readonly vma: Vma;
  readonly address: Address;
  readonly pages: number;
  readonly level: 'pte' | 'pmd' | 'table';
  /** Calls `fn` for each present or migration entry of an anonymous page, descending into tables; for a PMD entry once, with its first page. */
  forEach(fn: (page: Pfn, at: Address, present: boolean) => void): void;
}

/** A pinned or locked state of a folio's reverse map; a positive number, meaning known to the strategy alone. */
export type RmapHold = number;
/** {@link Rmap.hold} found the folio not mapped. */
export const GONE: RmapHold = 0;
/** {@link Rmap.hold} could not have the lock now and was not to wait. */
export const BUSY: RmapHold = -1;

/** A strategy's objects and the edges between them. */
export interface ObjectGraph {
  readonly nodes: readonly { readonly id: string; readonly type: string; readonly fields: Readonly<Record<string, string | number>> }[];
  readonly edges: readonly { readonly from: string; readonly to: string; readonly label: string }[];
}
