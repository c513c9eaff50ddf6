import type { Machine } from '../machine.js';
import type { Mm } from '../mm/mm.js';
import type { Vpn } from '../units.js';
import { ENTRIES, type Table } from './page-table.js';
import type { Pte } from './pte.js';

/**
 * Whether page `vpn` still has the entry that was `seen` in `leaf`: asked under the lock of the table, which may have gone, or serve
 * another address space, since it was looked up (pte_offset_map_lock, pte_same).
 */
export const sameEntry = (m: Machine, mm: Mm, vpn: Vpn, leaf: Table, seen: Pte): boolean =>
  mm.leaf(vpn) === leaf && m.tables.entries[leaf * ENTRIES + (vpn & (ENTRIES - 1))] === seen;
