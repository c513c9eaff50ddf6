import type { Machine } from '../machine.js';
import type { Mm } from '../mm/mm.js';
import { pfnOf } from '../page-table/pte.js';
import type { Op } from '../sync/op.js';
import { type Address, PAGE_SIZE, type Pfn } from '../units.js';
import { walkFolio } from './walk.js';

/** Where a broken page is mapped: whom to signal, and with which address. */
export interface Victim {
  readonly mm: Mm;
  readonly address: Address;
}

/** Every place of one page, be its folio large and mapped by PMDs or not (collect_procs_anon, page_mapped_in_vma). */
export function* collectVictims(m: Machine, page: Pfn): Op<Victim[]> {
  const victims: Victim[] = [];
  yield* walkFolio(m, m.mem.folioOf(page), (vma, address, _table, at, byPmd) => {
    const mapped = pfnOf(m.tables.entries[at]);
    if (byPmd) victims.push({ mm: vma.mm, address: (address + (page - mapped) * PAGE_SIZE) as Address });
    else if (mapped === page) victims.push({ mm: vma.mm, address });
    return true;
  });
  return victims;
}
