import { isLarge } from '../folio/mapcount.js';
import type { Machine } from '../machine.js';
import { type Address, PAGE_SIZE } from '../units.js';
import type { VmArea } from '../vma/vma.js';
import { ENTRIES } from './page-table.js';
import { kindOf, PRESENT, pfnOf } from './pte.js';

/** How many entries from the present one at `at`, and before `last`, map pages of one folio one after another, and have the same of `bits` (folio_pte_batch). */
export function pteBatch({ mem, tables: { entries } }: Machine, at: number, last: number, bits = 0): number {
  const first = pfnOf(entries[at]);
  if (!isLarge(mem, first)) return 1;
  const folio = mem.folioOf(first);
  const most = Math.min(last - at, folio + mem.pages(folio) - first);
  let count = 1;
  while (
    count < most &&
    kindOf(entries[at + count]) === PRESENT &&
    pfnOf(entries[at + count]) === first + count &&
    ((entries[at] ^ entries[at + count]) & bits) === 0
  )
    count++;
  return count;
}

/** Behind the last entry that can map what follows `address` in `vma`, in the table of the entry at `at`. */
export const endOfRun = (vma: VmArea, address: Address, at: number): number =>
  Math.min((Math.floor(at / ENTRIES) + 1) * ENTRIES, at + (vma.end - address) / PAGE_SIZE);
