import type { Machine } from '../machine.js';
import type { PteSpan } from '../rmap/contract.js';
import type { Op } from '../sync/op.js';
import { addressOf, pageOf, type Vpn } from '../units.js';
import type { VmArea } from '../vma/vma.js';
import { ENTRIES, PAGES_PER_LEAF } from './page-table.js';
import { isMapping, kindOf, PRESENT, pfnOf } from './pte.js';

/** Shows all entries of `vma`, a table at a time, each under its lock. */
export function* eachSpan(m: Machine, vma: VmArea, look: (span: PteSpan) => void): Op<void> {
  const { tables } = m;
  const { pgd } = vma.mm;
  const last = pageOf(vma.end);
  for (let vpn = tables.nextLeaf(pgd, pageOf(vma.start), last); vpn < last; ) {
    const stop = Math.min((Math.floor(vpn / PAGES_PER_LEAF) + 1) * PAGES_PER_LEAF, last) as Vpn;
    const huge = tables.huge(pgd, vpn);
    const table = huge !== 0 ? Math.floor(huge / ENTRIES) : tables.leaf(pgd, vpn);
    yield* m.ptl.lock(table);
    if (tables.huge(pgd, vpn) !== huge) {
      m.ptl.unlock(table); // it was split meanwhile
      continue;
    }
    if (huge === 0) look(m.span.ofTable(vma, addressOf(vpn), stop - vpn, table, vpn & (ENTRIES - 1)));
    else if (isMapping(tables.entries[huge])) {
      const pmd = tables.entries[huge];
      look(m.span.ofPmd(vma, addressOf(vpn), pfnOf(pmd), kindOf(pmd) === PRESENT));
    }
    m.ptl.unlock(table);
    vpn = tables.nextLeaf(pgd, stop, last);
  }
}
