import { unmapLargePte } from '../folio/deferred-split.js';
import { putPage } from '../folio/free.js';
import { isLarge, totalMapcount } from '../folio/mapcount.js';
import { SWAPBACKED } from '../folio/mem-map.js';
import type { Machine } from '../machine.js';
import { DIRTY, NONE, pfnOf } from '../page-table/pte.js';
import { finish, type Op } from '../sync/op.js';
import type { Folio, Pfn } from '../units.js';
import { VM_LOCKED } from '../vma/vm-flags.js';
import { walkFolio } from './walk.js';

/**
 * What reclaim may do with a folio: `unmapped` (lazily freeable and clean: its entries are gone), `locked` (a VM_LOCKED mapping
 * keeps it), `dirty` (written since MADV_FREE: it is kept and swap-backed again), `needs-swap` (its contents would have to be
 * written out), `not-mapped`.
 */
export type Unmap = 'unmapped' | 'locked' | 'dirty' | 'needs-swap' | 'not-mapped';

/** Decides entry by entry whether a folio can be unmapped, and unmaps one that needs no swap (try_to_unmap). */
export function* tryToUnmap(m: Machine, folio: Folio): Op<Unmap> {
  const { mem } = m;
  if (totalMapcount(mem, folio) === 0) return 'not-mapped';
  mem.refcount[folio]++;
  yield* m.folioLock.lock(folio);
  let outcome: Unmap = (mem.flags[folio] & SWAPBACKED) !== 0 ? 'needs-swap' : 'unmapped';
  let dropped = 0;
  yield* walkFolio(
    m,
    folio,
    (vma, address, _leaf, at) => {
      if ((vma.flags & VM_LOCKED) !== 0) {
        outcome = 'locked';
        return false;
      }
      if (outcome === 'needs-swap') return true;
      if ((m.tables.entries[at] & DIRTY) !== 0) {
        mem.flags[folio] |= SWAPBACKED;
        outcome = 'dirty';
        return false;
      }
      const pfn = pfnOf(m.tables.entries[at]);
      if (m.rmap.unmapped !== undefined) finish(m.rmap.unmapped(m.span.ofPage(vma, address, pfn)));
      m.tables.entries[at] = NONE;
      if (isLarge(mem, pfn)) unmapLargePte(m, pfn, vma.mm.id);
      else mem.mapcount[pfn]--;
      dropped++;
      return true;
    },
    true,
    true,
    true,
  );
  m.folioLock.unlock(folio);
  for (let i = 0; i <= dropped; i++) yield* putPage(m, folio as number as Pfn);
  return outcome;
}
