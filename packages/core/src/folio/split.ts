import type { Machine } from '../machine.js';
import { freeUnmapped } from '../page-table/free-gathered.js';
import { MIGRATION, makePte, ZERO } from '../page-table/pte.js';
import { fromMigrationEntry, toMigrationEntry } from '../reclaim/migration-entries.js';
import { BUSY, GONE } from '../rmap/contract.js';
import { type OnEntry, walkHeld } from '../rmap/walk.js';
import { finish, type Op } from '../sync/op.js';
import type { Folio, Pfn } from '../units.js';
import { VM_LOCKED } from '../vma/vm-flags.js';
import { putPage } from './free.js';
import { isLarge, totalMapcount } from './mapcount.js';
import { ANON, MLOCKED, DIRTY as PAGE_DIRTY, SWAPBACKED, SWAPCACHE, WAS_USED } from './mem-map.js';
import { forgetMlocks } from './mlock.js';

/** A part of a folio that becomes a folio of its own. */
interface Piece {
  readonly head: Pfn;
  readonly order: number;
}

/**
 * Cuts a large folio into folios of 2^order pages: all of it, or with `around` only as far as that page needs, which leaves
 * pieces of every size between (folio_split). Pages that nothing maps are freed, and single pages that hold zeros give way to the zero
 * page. The caller holds the folio lock and one reference, which stays with the first piece; a caller that wants the others, too, gets them in
 * `list`, with a reference each. False: somebody else refers to the folio, or nothing maps it; nothing happened.
 */
export function* splitFolio(
  m: Machine,
  folio: Folio,
  order = 0,
  around: Pfn | null = null,
  list: Folio[] | null = null,
): Op<boolean> {
  const { mem } = m;
  if (!isLarge(mem, folio) || order >= mem.order(folio)) return false;
  // Its slots go with its pages, one by one.
  const cached = (mem.flags[folio] & SWAPCACHE) !== 0 ? mem.pages(folio) : 0;
  if (cached > 0 && (order > 0 || around !== null)) return false;
  const answer = m.rmap.hold(folio, 'write', true);
  const hold = typeof answer === 'number' ? answer : yield* answer;
  if (hold === GONE || hold === BUSY) return false;
  try {
    if (mem.refcount[folio] !== totalMapcount(mem, folio) + 1 + cached) return false;
    // Migration entries keep everybody out meanwhile (unmap_folio, remap_page).
    yield* walkHeld(m, hold, folio, toMigrationEntry(m), { splitPmds: () => true });
    // A fault may have taken a reference before its entry went (folio_ref_freeze).
    if (mem.refcount[folio] !== 1 + cached) {
      yield* walkHeld(m, hold, folio, fromMigrationEntry(m, folio, folio), { kind: MIGRATION });
      return false;
    }
    const pieces = around === null ? uniform(m, folio, order) : unequal(m, folio, order, around);
    yield* cutInto(m, folio, pieces);
    for (const { head } of pieces) {
      const piece = head as number as Folio;
      yield* walkHeld(m, hold, piece, remap(m, piece), { kind: MIGRATION });
    }
    m.deferredSplit.delete(folio);
    for (const { head } of pieces) {
      if (head === (folio as number)) continue;
      if (list !== null) {
        m.mem.refcount[head]++;
        list.push(head as number as Folio);
      }
      m.folioLock.unlock(head as number as Folio);
      yield* freeUnmapped(m, head);
    }
    return true;
  } finally {
    const work = m.rmap.release(hold);
    if (work) yield* work;
  }
}

/** The entries of a piece come back, or where it is a page of zeros those of the zero page (remap_page, try_to_map_unused_to_zeropage). */
function remap(m: Machine, piece: Folio): OnEntry {
  const { mem, tables, rmap, span } = m;
  const back = fromMigrationEntry(m, piece, piece);
  if (isLarge(mem, piece) || mem.version[piece] !== 0) return back;
  return (vma, address, table, at, byPmd) => {
    if ((vma.flags & VM_LOCKED) !== 0 || (mem.flags[piece] & MLOCKED) !== 0) return back(vma, address, table, at, byPmd);
    if (rmap.unmapped !== undefined) finish(rmap.unmapped(span.ofPage(vma, address, piece as number as Pfn)));
    tables.write(at)[at] = makePte(ZERO, 0, 0);
    return true;
  };
}

/** The same for a folio that the caller only knows to be mapped: takes reference and lock, unless somebody has the lock. */
export function* splitMapped(m: Machine, folio: Folio): Op<boolean> {
  if (m.mem.refcount[folio] === 0 || !m.folioLock.tryLock(folio)) return false;
  m.mem.refcount[folio]++;
  try {
    return yield* splitFolio(m, folio);
  } finally {
    m.folioLock.unlock(folio);
    yield* putPage(m, folio as number as Pfn);
  }
}

/** What memory pressure does with folios that are mapped in part (deferred_split_scan); how many it split. */
export function* splitDeferred(m: Machine): Op<number> {
  let done = 0;
  for (const folio of [...m.deferredSplit]) {
    if (yield* splitMapped(m, folio)) done++;
  }
  return done;
}

/** The pieces get what the whole had: kind, anchor, offsets; one reference each until they are mapped again (__split_folio_to_order). */
function* cutInto(m: Machine, folio: Folio, pieces: readonly Piece[]): Op<void> {
  const { mem, swap } = m;
  const kept = mem.flags[folio] & (ANON | SWAPBACKED | SWAPCACHE | PAGE_DIRTY | MLOCKED | WAS_USED);
  const anchor = mem.anchor[folio];
  const index = mem.index[folio];
  const slot = swap.slots.get(folio);
  if (slot !== undefined) mem.refcount[folio] -= mem.pages(folio) - 1;
  for (const { head, order } of pieces) {
    mem.cut(head, order);
    if (head === (folio as number)) continue;
    mem.flags[head] |= kept;
    if ((kept & MLOCKED) !== 0) forgetMlocks(m, head as number as Folio);
    mem.index[head] = index + (head - folio);
    mem.refcount[head] = 1;
    if (slot !== undefined) {
      mem.refcount[head]++;
      swap.slots.set(head as number as Folio, slot + (head - folio));
    }
    // Who meets a migration entry of it waits.
    m.folioLock.inherit(head as number as Folio);
    if (m.rmap.transfer === undefined) mem.anchor[head] = anchor;
    else {
      mem.anchor[head] = 0;
      const work = m.rmap.transfer(head as number as Folio, folio, 'split');
      if (work) yield* work;
    }
  }
}

function uniform(m: Machine, folio: Folio, order: number): Piece[] {
  const pieces: Piece[] = [];
  for (let head = folio as number; head < folio + m.mem.pages(folio); head += 1 << order)
    pieces.push({ head: head as Pfn, order });
  return pieces;
}

/** Halves the piece that contains `around` until it has the order; an anonymous folio never has two pages. */
function unequal(m: Machine, folio: Folio, order: number, around: Pfn): Piece[] {
  const pieces: Piece[] = [];
  let head = folio as number;
  for (let have = m.mem.order(folio); have > order; ) {
    const next = have - 1 === 1 ? 0 : have - 1;
    const size = 1 << next;
    let holder = head;
    for (let at = head; at < head + (1 << have); at += size) {
      if (around >= at && around < at + size) holder = at;
      else pieces.push({ head: at as Pfn, order: next });
    }
    head = holder;
    have = next;
  }
  pieces.push({ head: head as Pfn, order });
  return pieces.sort((a, b) => a.head - b.head);
}
