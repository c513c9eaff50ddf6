import { isLarge } from '../folio/mapcount.js';
import type { Machine } from '../machine.js';
import { kindOf, PRESENT, pfnOf } from './pte.js';

/** How many entries from the present one at `at`, and before `last`, map pages of one folio one after another (folio_pte_batch). */
export function pteBatch({ mem, tables: { entries } }: Machine, at: number, last: number): number {
  const first = pfnOf(entries[at]);
  if (!isLarge(mem, first)) return 1;
  const folio = mem.folioOf(first);
  const most = Math.min(last - at, folio + mem.pages(folio) - first);
  let count = 1;
  while (count < most && kindOf(entries[at + count]) === PRESENT && pfnOf(entries[at + count]) === first + count) count++;
  return count;
}
