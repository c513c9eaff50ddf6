import { deferSplit } from '../folio/deferred-split.js';
import { putPage } from '../folio/free.js';
import { isLarge, totalMapcount } from '../folio/mapcount.js';
import { ANON, KSM, DIRTY as PAGE_DIRTY, SWAPBACKED, SWAPCACHE, WAS_USED } from '../folio/mem-map.js';
import { splitFolio } from '../folio/split.js';
import type { Machine } from '../machine.js';
import { MIGRATION } from '../page-table/pte.js';
import { BUSY, GONE, type RmapHold } from '../rmap/contract.js';
import { walkHeld } from '../rmap/walk.js';
import type { Op } from '../sync/op.js';
import type { Folio, Pfn } from '../units.js';
import { fromMigrationEntry, toMigrationEntry } from './migration-entries.js';
import { addToSwapCache, deleteFromSwapCache } from './swap.js';

/** A folio on its way to another place: locked, its entries are migration entries, its reverse map is pinned. */
export interface Migration {
  readonly folio: Folio;
  readonly hold: RmapHold;
  /** Locks that it holds while it is left under way: the folio's, and what the strategy pinned with. */
  locks: number;
}

/**
 * First half: pins the reverse map, and turns every entry into a migration entry (migrate_folio_unmap, try_to_migrate). Of a folio that is
 * mapped in part only the first page goes on. Null: it can't be now.
 */
export function* startMigration(m: Machine, folio: Folio): Op<Migration | null> {
  const { mem } = m;
  if ((mem.flags[folio] & KSM) !== 0) return null; // a stable node would have to move along
  if (totalMapcount(mem, folio) === 0 || !m.folioLock.tryLock(folio)) return null;
  mem.refcount[folio]++;
  if (m.deferredSplit.has(folio)) yield* splitFolio(m, folio); // one that is mapped in part is split for it
  const answer = m.rmap.hold(folio, 'pin', true);
  const hold = typeof answer === 'number' ? answer : yield* answer;
  if (hold === GONE || hold === BUSY) {
    m.folioLock.unlock(folio);
    yield* putPage(m, folio as number as Pfn);
    return null;
  }
  yield* walkHeld(m, hold, folio, toMigrationEntry(m), { skipTemporaryStacks: true });
  return { folio, hold, locks: 0 };
}

/** Leaves a migration under way: other operations come between its halves, and a fault that meets it ends it. */
export function parkMigration(m: Machine, migration: Migration): void {
  m.migrations.set(migration.folio, migration);
  migration.locks = m.sync.current.held;
  m.sync.current.held = 0;
}

/** Ends a migration that was left under way. */
export function* resumeMigration(m: Machine, migration: Migration): Op<Folio | null> {
  m.migrations.delete(migration.folio);
  m.sync.current.held += migration.locks;
  return yield* finishMigration(m, migration);
}

/** Moves a folio to another place; null: it can't be now. */
export function* migrateFolio(m: Machine, folio: Folio): Op<Folio | null> {
  const migration = yield* startMigration(m, folio);
  if (migration === null) return null;
  // What was unmapped waits for the rest of its batch (migrate_folios_move).
  if (m.sync.stepping) yield { kind: 'choice', object: migration, label: 'cond_resched', offers: true };
  return yield* finishMigration(m, migration);
}

/**
 * Second half: moves contents, kind and anchor to a new folio and turns the entries back, wherever they are by now
 * (migrate_folio_move, remove_migration_ptes). Without memory for it, or when somebody else refers to the folio, the entries come
 * back to the old one: the folio is then not moved, null.
 */
function* finishMigration(m: Machine, { folio, hold }: Migration): Op<Folio | null> {
  const { mem } = m;
  const cached = (mem.flags[folio] & SWAPCACHE) !== 0 ? mem.pages(folio) : 0;
  const to = mem.refcount[folio] === 1 + cached ? allocLike(m, folio) : null;
  if (to !== null) yield* transfer(m, to, folio);
  yield* walkHeld(m, hold, to ?? folio, fromMigrationEntry(m, folio, to ?? folio), { kind: MIGRATION, entriesOf: folio });
  // The entries of a large folio went one by one: it counts as mapped in part, moved or not (migrate_folio_move).
  if (to !== null && m.deferredSplit.delete(folio)) deferSplit(m, to);
  m.folioLock.unlock(folio);
  const work = m.rmap.release(hold);
  if (work) yield* work;
  yield* putPage(m, folio as number as Pfn);
  if (to !== null) yield* putPage(m, to as number as Pfn);
  return to;
}

/** A folio of the same order, or null. */
function allocLike(m: Machine, folio: Folio): Folio | null {
  const { mem } = m;
  if (isLarge(mem, folio)) return mem.allocLarge(mem.order(folio));
  return mem.tryAlloc();
}

/** Everything but the entries goes over (folio_migrate_mapping, folio_migrate_flags). */
function* transfer(m: Machine, to: Folio, from: Folio): Op<void> {
  const { mem, swap } = m;
  const pages = mem.pages(from);
  mem.flags[to] |= mem.flags[from] & (ANON | SWAPBACKED | PAGE_DIRTY | WAS_USED);
  for (let i = 0; i < pages; i++) {
    mem.version[to + i] = mem.version[from + i];
    if (i > 0) mem.flags[to + i] |= ANON;
  }
  mem.index[to] = mem.index[from];
  const slot = swap.slots.get(from);
  if (slot !== undefined) {
    // The slots change hands: not freed in between.
    for (let i = 0; i < pages; i++) swap.counts[slot + i]++;
    deleteFromSwapCache(m, from);
    addToSwapCache(m, to, slot);
    for (let i = 0; i < pages; i++) swap.counts[slot + i]--;
  }
  if (m.rmap.transfer === undefined) mem.anchor[to] = mem.anchor[from];
  else {
    const work = m.rmap.transfer(to, from, 'migrate');
    if (work) yield* work;
  }
}
