import { putPage } from '../folio/free.js';
import { totalMapcount } from '../folio/mapcount.js';
import { KSM, LARGE, SWAPCACHE } from '../folio/mem-map.js';
import type { Machine } from '../machine.js';
import { freeSwap } from '../reclaim/swap.js';
import { finish, type Op, READY } from '../sync/op.js';
import type { Folio, Pfn } from '../units.js';

/** Frames that were just unmapped. */
export type Frames = Int32Array | number[];

/** Drops one reference of each of the first `count` folios of `pages`, all just unmapped (free_pages_and_swap_cache). */
export function freeGathered(m: Machine, pages: Frames, count: number): Op<void> {
  if (m.sync.stepping) return freeStepping(m, pages, count);
  for (let i = 0; i < count; i++) finish(freeUnmapped(m, pages[i] as Pfn));
  return READY;
}

/** The same, giving way to others. */
function* freeStepping(m: Machine, pages: Frames, count: number): Op<void> {
  for (let i = 0; i < count; i++) yield* freeUnmapped(m, pages[i] as Pfn);
}

/** Drops one reference of a folio that was just unmapped, by its first page; the swap cache keeps none that nothing names. */
export function freeUnmapped(m: Machine, pfn: Pfn): Op<void> {
  const { mem } = m;
  const flags = mem.flags[pfn];
  if ((flags & SWAPCACHE) !== 0) freeSwapCache(m, pfn as number as Folio);
  if (mem.refcount[pfn] > 1) mem.refcount[pfn]--;
  else if (m.rmap.drop !== undefined || mem.mapcount[pfn] !== 0 || (flags & (LARGE | KSM)) !== 0) return putPage(m, pfn);
  else mem.free(pfn);
  return READY;
}

/** free_swap_cache */
function freeSwapCache(m: Machine, folio: Folio): void {
  if (totalMapcount(m.mem, folio) > 0 || !m.folioLock.tryLock(folio)) return;
  freeSwap(m, folio);
  m.folioLock.unlock(folio);
}
