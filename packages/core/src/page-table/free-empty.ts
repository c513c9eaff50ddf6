import type { Machine } from '../machine.js';
import type { Mm } from '../mm/mm.js';
import type { Op } from '../sync/op.js';
import type { Vpn } from '../units.js';
import { ENTRIES } from './page-table.js';
import { NONE } from './pte.js';

/** Gives the leaf table around page `vpn` back if it is empty (try_to_free_pte). Who waits for its lock must look whether it is still there. */
export function* freeEmptyLeaf(m: Machine, mm: Mm, vpn: Vpn): Op<void> {
  const { tables, ptl } = m;
  const at = tables.pmdSlot(mm.pgd, vpn);
  const lock = Math.floor(at / ENTRIES);
  yield* ptl.lock(lock);
  const leaf = tables.leaf(mm.pgd, vpn);
  if (leaf !== 0) {
    yield* ptl.lock(leaf);
    if (m.sync.stepping) yield { kind: 'pte', object: mm, label: 'free empty table' };
    const empty = tables.isEmpty(leaf);
    if (empty) {
      tables.writePmd(at)[at] = NONE;
      mm.forgetShortcuts();
    }
    ptl.unlock(leaf);
    if (empty) tables.free(leaf);
  }
  ptl.unlock(lock);
}
