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

/** Calls `onLeaf` for every leaf table with the place of its first entry, `onHuge` for every PMD entry that maps a folio itself, by address space and address. */
function scanLeaves(
  m: Machine,
  onLeaf: (mm: Mm, vpn: Vpn, first: number) => void,
  onHuge: (mm: Mm, vpn: Vpn, at: number) => void,
): void {
  const { entries } = m.tables;
  // Most entries are empty: two at a time. No entry is the sign of a zero.
  const pairs = new Float64Array(entries.buffer);
  const below = (mm: Mm, table: Table, level: number, base: number): void => {
    const first = table * ENTRIES;
    for (let slot = 0; slot < ENTRIES; slot++) {
      while (slot % 2 === 0 && slot < ENTRIES && pairs[(first + slot) / 2] === 0) slot += 2;
      if (slot === ENTRIES) return;
      const entry = entries[first + slot];
      if (entry === NONE) continue;
      const vpn = base + slot * SPAN[level];
      if (kindOf(entry) !== TABLE) onHuge(mm, vpn as Vpn, first + slot);
      else if (level > 1) below(mm, payloadOf(entry), level - 1, vpn);
      else onLeaf(mm, vpn as Vpn, payloadOf(entry) * ENTRIES);
    }
  };
  for (const mm of m.mms.values()) below(mm, mm.pgd, SPAN.length - 1, 0);
}

/** Calls `fn` for every entry that is not empty, by address space and address; `pages` is 512 for a PMD entry. Reads page tables only, knows no VMA and no reverse map. */
export function scanTables(m: Machine, fn: (mm: Mm, vpn: Vpn, pte: Pte, pages: 1 | 512) => void): void {
  const { entries } = m.tables;
  scanLeaves(
    m,
    (mm, vpn, first) => {
      for (let slot = 0; slot < ENTRIES; slot++) {
        const pte = entries[first + slot];
        if (pte !== NONE) fn(mm, (vpn + slot) as Vpn, pte, 1);
      }
    },
    (mm, vpn, at) => fn(mm, vpn, entries[at], 512),
  );
}

/** How many entries map each frame, by frame number: the truth that map counts and walks are held against. */
export interface Counts {
  /** PTEs of each page. */
  readonly ptes: Int32Array;
  /** PMD entries of each folio, at its first page. */
  readonly pmds: Int32Array;
  /** Both, of all pages of each folio, at its first page. */
  readonly folios: Int32Array;
}

export function countMappings(m: Machine): Counts {
  const counts = { ptes: new Int32Array(m.mem.used), pmds: new Int32Array(m.mem.used), folios: new Int32Array(m.mem.used) };
  const { ptes, pmds, folios } = counts;
  const { entries } = m.tables;
  scanLeaves(
    m,
    (_mm, _vpn, first) => {
      for (let at = first; at < first + ENTRIES; at++) {
        const pte = entries[at];
        if (kindOf(pte) === PRESENT) ptes[pte >>> 8]++;
      }
    },
    (_mm, _vpn, at) => {
      if (kindOf(entries[at]) === PRESENT) pmds[pfnOf(entries[at])]++;
    },
  );
  for (let pfn = 1; pfn < ptes.length; pfn++) {
    const mappings = ptes[pfn] + pmds[pfn];
    if (mappings > 0) folios[m.mem.folioOf(pfn as Pfn)] += mappings;
  }
  return counts;
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
