import { ANON } from '../folio/mem-map.js';
import type { Machine } from '../machine.js';
import type { Mm } from '../mm/mm.js';
import { ENTRIES, PAGES_PER_LEAF } from '../page-table/page-table.js';
import { isMapping, NONE, type Pte, pfnOf } from '../page-table/pte.js';
import { type Address, addressOf, type Folio, type Pfn, pageOf, TASK_SIZE, type Vpn } from '../units.js';

/** One entry that maps a page. */
export interface Mapping {
  readonly mm: Mm;
  readonly address: Address;
}

/** Calls `fn` for every entry that is not empty, by address space and address. Reads page tables only, knows no VMA and no reverse map. */
export function scanTables(m: Machine, fn: (mm: Mm, vpn: Vpn, pte: Pte) => void): void {
  const end = pageOf(TASK_SIZE);
  const { tables } = m;
  for (const mm of m.mms.values()) {
    for (let vpn = tables.nextLeaf(mm.pgd, 0 as Vpn, end); vpn < end; ) {
      const first = tables.leaf(mm.pgd, vpn) * ENTRIES;
      for (let slot = 0; slot < ENTRIES; slot++) {
        const pte = tables.entries[first + slot];
        if (pte !== NONE) fn(mm, (vpn + slot) as Vpn, pte);
      }
      vpn = tables.nextLeaf(mm.pgd, (vpn + PAGES_PER_LEAF) as Vpn, end);
    }
  }
}

/** How many entries map each frame, by frame number: the truth that map counts and walks are held against. */
export function countMappings(m: Machine): Int32Array {
  const counts = new Int32Array(m.mem.used);
  scanTables(m, (_mm, _vpn, pte) => {
    if (isMapping(pte)) counts[pfnOf(pte)]++;
  });
  return counts;
}

/** Every entry that maps `folio`, by address space and address. */
export function mappingsOf(m: Machine, folio: Folio): Mapping[] {
  const found: Mapping[] = [];
  scanTables(m, (mm, vpn, pte) => {
    if (isMapping(pte) && m.mem.folioOf(pfnOf(pte)) === folio) found.push({ mm, address: addressOf(vpn) });
  });
  return found;
}

/** Every anonymous folio that some entry maps, given what {@link countMappings} found. */
export function* mappedFolios(m: Machine, counts: Int32Array): Generator<Folio> {
  for (let pfn = 1; pfn < counts.length; pfn++) {
    if (counts[pfn] > 0 && (m.mem.flags[pfn] & ANON) !== 0 && m.mem.folioOf(pfn as Pfn) === (pfn as number))
      yield pfn as number as Folio;
  }
}
