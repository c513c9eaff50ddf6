import { NoMemory } from '../errors.js';
import { readIn } from '../fault/swap-in.js';
import { putPage } from '../folio/free.js';
import type { Machine } from '../machine.js';
import { ENTRIES } from '../page-table/page-table.js';
import { kindOf, payloadOf, SWAP } from '../page-table/pte.js';
import type { Op } from '../sync/op.js';
import { type Address, pageOf, type Vpn } from '../units.js';
import type { VmArea } from '../vma/vma.js';

/** Reads what [start, end) has in swap into the swap cache, as far as there is memory; nothing is mapped (swapin_walk_pmd_entry). */
export function* willNeed(m: Machine, vma: VmArea, start: Address, end: Address): Op<void> {
  const { tables, swap } = m;
  const { pgd } = vma.mm;
  const last = pageOf(end);
  for (let vpn = tables.nextLeaf(pgd, pageOf(start), last); vpn < last; vpn = tables.nextLeaf(pgd, (vpn + 1) as Vpn, last)) {
    const leaf = tables.leaf(pgd, vpn);
    const pte = leaf === 0 ? 0 : tables.entries[leaf * ENTRIES + (vpn & (ENTRIES - 1))];
    if (kindOf(pte) !== SWAP || !swap.isApart(payloadOf(pte), 1)) continue;
    try {
      yield* putPage(m, readIn(m, payloadOf(pte)));
    } catch (error) {
      if (!(error instanceof NoMemory)) throw error;
    }
  }
}
