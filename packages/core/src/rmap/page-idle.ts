import { WAS_USED } from '../folio/mem-map.js';
import type { Machine } from '../machine.js';
import { YOUNG } from '../page-table/pte.js';
import type { Op } from '../sync/op.js';
import type { Folio } from '../units.js';
import { walkFolio } from './walk.js';

/** Whether no entry of a folio was used since this was last asked; every accessed bit is cleared, but reclaim still hears of it (page_idle_clear_pte_refs). Null: somebody has the folio. */
export function* idle(m: Machine, folio: Folio): Op<boolean | null> {
  if (!m.folioLock.tryLock(folio)) return null;
  let used = false;
  try {
    yield* walkFolio(m, folio, (_vma, _address, _table, at, byPmd) => {
      if ((m.tables.entries[at] & YOUNG) === 0) return true;
      used = true;
      m.mem.flags[folio] |= WAS_USED;
      (byPmd ? m.tables.writePmd(at) : m.tables.write(at))[at] &= ~YOUNG;
      return true;
    });
  } finally {
    m.folioLock.unlock(folio);
  }
  return !used;
}
