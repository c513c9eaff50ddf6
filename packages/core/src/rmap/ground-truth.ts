import { ANON } from '../folio/mem-map.js';
import type { Machine } from '../machine.js';
import type { Mm } from '../mm/mm.js';
import { ENTRIES, SPAN, type Table } from '../page-table/page-table.js';
import { kindOf, NONE, PRESENT, type Pte, payloadOf, pfnOf, TABLE } from '../page-table/pte.js';
import { type Address, addressOf, type Folio, type Pfn, type Vpn } from '../units.js';

/** One entry that maps a page. */
export interface Mapping {
  readonly mm: Mm;
  readonly address: Address;
}

/** Calls `fn` for every entry that is not empty, by address space and address; `pages` is 512 for a PMD entry. Reads page tables only, knows no VMA and no reverse map. How many tables it saw. */
export function scanTables(m: Machine, fn: (mm: Mm, vpn: Vpn, pte: Pte, pages: 1 | 512) => void): number {
  let tables = 0;
  const { entries } = m.tables;
  // Most entries are empty: eight at a time, by twos. No entry is the sign of a zero.
  const pairs = new Float64Array(entries.buffer);
  const allEmpty = (pair: number): boolean =>
    pairs[pair] === 0 && pairs[pair + 1] === 0 && pairs[pair + 2] === 0 && pairs[pair + 3] === 0;
  const below = (mm: Mm, table: Table, level: number, base: number): void => {
    const first = table * ENTRIES;
    tables++;
    for (let slot = 0; slot < ENTRIES; slot++) {
      if ((slot & 7) === 0 && allEmpty((first + slot) >> 1)) {
        slot += 7;
        continue;
      }
      const entry = entries[first + slot];
      if (entry === NONE) continue;
      const vpn = base + slot * SPAN[level];
      if (kindOf(entry) === TABLE) below(mm, payloadOf(entry), level - 1, vpn);
      else fn(mm, vpn as Vpn, entry, level === 0 ? 1 : 512);
    }
  };
  for (const mm of m.mms.values()) below(mm, mm.pgd, SPAN.length - 1, 0);
  return tables;
}

/** How many entries map each frame, by frame number: the truth that map counts and walks are held against. */
export interface Counts {
  /** PTEs of each page. */
  readonly ptes: Int32Array;
  /** PMD entries of each folio, at its first page. */
  readonly pmds: Int32Array;
  /** Both, of all pages of each folio, at its first page. */
  readonly folios: Int32Array;
  /** Page tables of all address spaces. */
  readonly tables: number;
}

/** Counts in one scan, and calls `look` for every entry that is not empty on the way. */
export function countMappings(m: Machine, look: (mm: Mm, vpn: Vpn, pte: Pte, pages: 1 | 512) => void): Counts {
  const { used } = m.mem;
  const ptes = new Int32Array(used);
  const pmds = new Int32Array(used);
  const folios = new Int32Array(used);
  const tables = scanTables(m, (mm, vpn, pte, pages) => {
    if (kindOf(pte) === PRESENT) (pages === 1 ? ptes : pmds)[pfnOf(pte)]++;
    look(mm, vpn, pte, pages);
  });
  for (let pfn = 1; pfn < ptes.length; pfn++) {
    const mappings = ptes[pfn] + pmds[pfn];
    if (mappings > 0) folios[m.mem.folioOf(pfn as Pfn)] += mappings;
  }
  return { ptes, pmds, folios, tables };
}

/** Every present entry of `folio`, or every migration entry, by address space and address. */
export function mappingsOf(m: Machine, folio: Folio, kind = PRESENT): Mapping[] {
  const found: Mapping[] = [];
  scanTables(m, (mm, vpn, pte) => {
    if (kindOf(pte) === kind && m.mem.folioOf(pfnOf(pte)) === folio) found.push({ mm, address: addressOf(vpn) });
  });
  return found;
}

/** Every anonymous folio that some entry maps, given what {@link countMappings} found. */
export function* mappedFolios(m: Machine, { folios }: Counts): Generator<Folio> {
  for (let pfn = 1; pfn < folios.length; pfn++) {
    if (folios[pfn] > 0 && (m.mem.flags[pfn] & ANON) !== 0) yield pfn as number as Folio;
  }
}
