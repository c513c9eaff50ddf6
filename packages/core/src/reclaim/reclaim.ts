import { putPage } from '../folio/free.js';
import { isLarge, totalMapcount } from '../folio/mapcount.js';
import { ANON, KSM, MLOCKED, SWAPBACKED, SWAPCACHE } from '../folio/mem-map.js';
import { splitFolio } from '../folio/split.js';
import type { Machine } from '../machine.js';
import { tryToUnmap } from '../rmap/try-to-unmap.js';
import type { Op } from '../sync/op.js';
import type { Folio, Pfn } from '../units.js';
import { addToSwapCache, deleteFromSwapCache, freeSwap } from './swap.js';

/**
 * What became of a folio that reclaim looked at: `reclaimed`; or it stays: `locked`, it is mlocked, or a VM_LOCKED mapping keeps it; `dirty`,
 * written since MADV_FREE, and swap-backed again; `busy`, somebody has it, or some entries are left; `in-use`, somebody refers
 * to it; `no-swap`, swap is full; `not-mapped`.
 */
export type Reclaim = 'reclaimed' | 'locked' | 'dirty' | 'busy' | 'in-use' | 'no-swap' | 'not-mapped';

/**
 * Evicts one folio: swap space, try_to_unmap, write-out, free (shrink_folio_list), whether or not it is shared or was used of
 * late. A large folio that is mapped in part, or too large for the swap space left, is split first, and its pages are evicted one by one: what became of
 * the first is the answer. One that could not be unmapped everywhere stays in the swap cache.
 */
export function* reclaimFolio(m: Machine, folio: Folio): Op<Reclaim> {
  const pieces: Folio[] = [];
  const outcome = yield* shrink(m, folio, pieces);
  for (let piece = pieces.pop(); piece !== undefined; piece = pieces.pop()) {
    if (m.mem.refcount[piece] === 1) yield* putPage(m, piece as number as Pfn);
    else {
      m.mem.refcount[piece]--; // its turn takes one of its own
      yield* shrink(m, piece, pieces);
    }
  }
  return outcome;
}

/** One folio's turn; with a reference each, `pieces` gets what a split leaves behind the first page. */
function* shrink(m: Machine, folio: Folio, pieces: Folio[]): Op<Reclaim> {
  const { mem, swap } = m;
  if (mem.refcount[folio] === 0 || (mem.flags[folio] & ANON) === 0) return 'not-mapped';
  // Somebody who took it off the lists holds the last reference: a migration that is over.
  if (totalMapcount(mem, folio) === 0 && (mem.flags[folio] & SWAPCACHE) === 0) return 'not-mapped';
  if ((mem.flags[folio] & KSM) !== 0) return 'in-use'; // pages of KSM are not evicted here
  if (!m.folioLock.tryLock(folio)) return 'busy';
  mem.refcount[folio]++;
  try {
    if ((mem.flags[folio] & MLOCKED) !== 0) {
      freeSwap(m, folio);
      return 'locked';
    }
    if ((mem.flags[folio] & SWAPBACKED) !== 0 && (mem.flags[folio] & SWAPCACHE) === 0) {
      // What can't be split is not begun with.
      if (isLarge(mem, folio) && mem.refcount[folio] !== totalMapcount(mem, folio) + 1) return 'in-use';
      if (m.deferredSplit.has(folio) && !(yield* splitFolio(m, folio, 0, null, pieces))) return 'busy';
      let slot = swap.alloc(mem.pages(folio));
      if (slot === null && (yield* splitFolio(m, folio, 0, null, pieces))) slot = swap.alloc(1);
      if (slot === null) return 'no-swap';
      addToSwapCache(m, folio, slot);
    }
    const unmap = totalMapcount(mem, folio) === 0 ? 'unmapped' : yield* tryToUnmap(m, folio);
    if (unmap !== 'unmapped') {
      if ((mem.flags[folio] & MLOCKED) !== 0 || swap.full) freeSwap(m, folio);
      return unmap;
    }
    const cached = (mem.flags[folio] & SWAPCACHE) !== 0 ? mem.pages(folio) : 0;
    // While it is written, others may copy its swap entries, and find it by them.
    if (cached > 0 && m.sync.stepping) yield { kind: 'store', object: swap, label: `write out folio ${folio}` };
    if (mem.refcount[folio] !== 1 + cached) return 'in-use';
    if (cached > 0) {
      const slot = swap.slots.get(folio) as number;
      for (let i = 0; i < cached; i++) swap.versions[slot + i] = mem.version[folio + i];
      deleteFromSwapCache(m, folio);
    }
    return 'reclaimed';
  } finally {
    m.folioLock.unlock(folio);
    yield* putPage(m, folio as number as Pfn);
  }
}
