import { putPage } from '../folio/free.js';
import { addPte, isLarge } from '../folio/mapcount.js';
import { ANON, KSM, MLOCKED, EXCLUSIVE as PAGE_EXCLUSIVE, SWAPBACKED, SWAPCACHE } from '../folio/mem-map.js';
import { mlockVmaFolio } from '../folio/mlock.js';
import type { Machine } from '../machine.js';
import { ENTRIES, type Table } from '../page-table/page-table.js';
import { DIRTY, EXCLUSIVE, makePte, PRESENT, type Pte, payloadOf, WRITE, YOUNG } from '../page-table/pte.js';
import { sameEntry } from '../page-table/same-entry.js';
import { addToSwapCache, freeSwap, freeSwapEntry } from '../reclaim/swap.js';
import type { Op } from '../sync/op.js';
import { type Address, type Folio, type Pfn, pageOf } from '../units.js';
import { VM_LOCKED, VM_WRITE } from '../vma/vm-flags.js';
import type { VmArea } from '../vma/vma.js';
import { mapNewPage, reserveOne } from './anonymous.js';
import type { FaultOutcome } from './prepare.js';

/**
 * A touch of a page that was swapped out (do_swap_page): from the swap cache, or read back. A slot that one entry alone names
 * bypasses the swap cache, as on a synchronous device; then the page is exclusive at once. A write that may not go ahead
 * afterwards is a write-protection fault of its own. `retry`: somebody has the folio locked, and `waits` is false. @throws NoMemory
 */
export function* swapIn(
  m: Machine,
  vma: VmArea,
  address: Address,
  leaf: Table,
  seen: Pte,
  write: boolean,
  waits = true,
): Op<FaultOutcome> {
  const { mem, swap, tables } = m;
  const at = leaf * ENTRIES + (pageOf(address) & (ENTRIES - 1));
  const slot = payloadOf(seen);
  yield* reserveOne(m);
  const cached = swap.cache.get(slot);
  const page = cached ?? readIn(m, slot);
  const folio = mem.folioOf(page);
  if (cached !== undefined) mem.refcount[folio]++; // a page read in has its first reference, which is ours
  try {
    if (!m.folioLock.tryLock(folio)) {
      if (!waits) return 'retry';
      yield* m.folioLock.lock(folio);
    }
    try {
      if (tables.entries[at] !== seen || (cached !== undefined && swap.cache.get(slot) !== page)) return 'done';
      const fits =
        (mem.flags[folio] & ANON) === 0 ||
        (mem.index[folio] + (page - folio) === vma.anonIndex(address) && m.rmap.reaches(folio, vma));
      if (!fits) return yield* mapCopy(m, vma, address, leaf, at, seen, page);
      yield* m.ptl.lock(leaf);
      if (sameEntry(m, vma.mm, pageOf(address), leaf, seen)) yield* mapSwappedIn(m, vma, address, at, page, write);
      m.ptl.unlock(leaf);
    } finally {
      m.folioLock.unlock(folio);
    }
  } finally {
    yield* putPage(m, folio as number as Pfn);
  }
  return 'done';
}

/** A fresh page with the slot's contents: in the swap cache if `cache`, usually because several entries name the slot. @throws NoMemory */
export function readIn(m: Machine, slot: number, cache = m.swap.counts[slot] > 1): Pfn {
  const { mem, swap } = m;
  const page = mem.alloc();
  mem.version[page] = swap.versions[slot];
  mem.flags[page] = SWAPBACKED;
  if (cache) addToSwapCache(m, page as number as Folio, slot);
  return page;
}

/** Stores the entry of `page`, under PTL and folio lock; the swap entry goes. */
function* mapSwappedIn(m: Machine, vma: VmArea, address: Address, at: number, page: Pfn, write: boolean): Op<void> {
  const { mem, tables, swap } = m;
  const folio = mem.folioOf(page);
  const seen = tables.entries[at];
  const slot = payloadOf(seen);
  const bypassed = (mem.flags[folio] & SWAPCACHE) === 0;
  const exclusiveEntry = bypassed || (seen & EXCLUSIVE) !== 0;
  swap.counts[slot]--;
  if (bypassed) swap.release(slot);
  const mine = mem.refcount[folio] === 1 + mem.pages(folio);
  const locked = (vma.flags & VM_LOCKED) !== 0 || (mem.flags[folio] & MLOCKED) !== 0;
  if (!bypassed && (locked || (write && (mem.flags[folio] & KSM) === 0 && mine))) freeSwap(m, folio);
  const exclusive = (mem.flags[folio] & KSM) === 0 && (exclusiveEntry || mem.refcount[folio] === 1);
  const writable = exclusive && (vma.flags & VM_WRITE) !== 0 ? WRITE : 0;
  mem.refcount[folio]++;
  yield* addAnonRmap(m, vma, address, page, exclusive);
  if (m.sync.stepping) yield { kind: 'pte', object: vma.mm, label: `swap in page ${pageOf(address)}` };
  tables.write(at)[at] = makePte(PRESENT, page, YOUNG | writable | (writable !== 0 && write ? DIRTY : 0));
}

/** Counts the mapping; a page that was read in becomes anonymous, an exclusive one here, else wherever its entries may be (folio_add_new_anon_rmap, folio_add_anon_rmap_pte). */
export function* addAnonRmap(m: Machine, vma: VmArea, address: Address, page: Pfn, exclusive: boolean): Op<void> {
  const { mem } = m;
  const folio = mem.folioOf(page);
  if ((mem.flags[folio] & ANON) !== 0) {
    if (!isLarge(mem, page)) mlockVmaFolio(m, folio, vma);
  } else {
    mem.flags[folio] |= ANON;
    mem.index[folio] = vma.anonIndex(address);
    const work = m.rmap.anchor(folio, vma, exclusive ? 'new' : 'new-shared');
    if (work) yield* work;
  }
  if (exclusive) mem.flags[page] |= PAGE_EXCLUSIVE;
  if (isLarge(mem, page)) addPte(mem, page, vma.mm.id);
  else mem.mapcount[page]++;
  if (m.rmap.mapping) {
    const work = m.rmap.mapping(m.span.ofPage(vma, address, page), 'new', null);
    if (work) yield* work;
  }
}

/** Maps a private copy, because walks from the folio's anchor would not come to `vma` (ksm_might_need_to_copy). @throws NoMemory */
export function* mapCopy(
  m: Machine,
  vma: VmArea,
  address: Address,
  leaf: Table,
  at: number,
  seen: Pte,
  page: Pfn,
): Op<FaultOutcome> {
  const { mem } = m;
  const copy = mem.alloc();
  mem.version[copy] = mem.version[page];
  yield* m.ptl.lock(leaf);
  const same = sameEntry(m, vma.mm, pageOf(address), leaf, seen);
  if (same) yield* mapNewPage(m, vma, address, copy, at);
  m.ptl.unlock(leaf);
  if (same) yield* freeSwapEntry(m, payloadOf(seen));
  else yield* putPage(m, copy);
  return 'done';
}
