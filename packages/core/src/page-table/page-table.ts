import { NoMemory } from '../errors.js';
import { largerThan } from '../folio/growth.js';
import type { AllocFailure } from '../slab/alloc-failure.js';
import { COUNTERS } from '../sync/counters.js';
import { PAGE_SIZE, type Vpn } from '../units.js';
import type { EntryChanges } from './entry-changes.js';
import { kindOf, makePte, NONE, type Pte, payloadOf, TABLE } from './pte.js';

/** Entries of one table, at every level. */
export const ENTRIES = 512;
/** Pages that one leaf table (a PMD entry) covers. */
export const PAGES_PER_LEAF = 512;
/** Bytes that they are: 2 MiB. */
export const PMD_SIZE = PAGES_PER_LEAF * PAGE_SIZE;
/** Tables that there is room for at first: those of a few small processes. */
const INITIAL_TABLES = 16;
/** Leaf tables of 1 GiB. */
const MANY_TABLES = 2 ** 9;
/** Levels of the radix tree: PGD, PUD, PMD, PTE. */
const LEVELS = 4;
/** Pages below one entry of a table, by level; level 3 is the PGD. */
export const SPAN: readonly number[] = [1, 2 ** 9, 2 ** 18, 2 ** 27];

/** The number of a table; tables of all levels and address spaces are numbered alike, 0 is none. */
export type Table = number;

/** Entries as everybody may see them; {@link PageTables.write} is for who changes some. */
interface Entries extends Pick<Int32Array, 'length' | 'buffer' | 'byteLength'> {
  readonly [at: number]: Pte;
}

/**
 * All page tables of a machine: tables of 512 int32 entries in one array, found by number. An upper entry names the lower
 * table; a free table is all zero, as it is when its last entry was cleared.
 */
export class PageTables {
  static readonly [COUNTERS] = ['live', 'peak', 'writes'];
  /** Entry `i` of table `t` is at `t * 512 + i`. The array is replaced when it grows: read the field again after an allocation. */
  entries: Entries = new Int32Array(INITIAL_TABLES * ENTRIES);
  live = 0;
  peak = 0;
  /** Counts up, modulo 2^32, before entries that map pages change. */
  writes = 0;
  /** Whoever wants to know which entries may have changed; those that point to tables do not count. */
  changes: EntryChanges | null = null;
  private used = 1;
  private readonly freed: Table[] = [];
  /** By PMD table: leaf tables put by for the PMD entries that map a folio, so that splitting one never fails (pgtable_trans_huge_deposit). */
  private readonly deposits = new Map<Table, Table[]>();

  constructor(private readonly failure: AllocFailure) {}

  /** Bytes that the tables occupy. */
  get bytes(): number {
    return this.entries.byteLength;
  }

  /** A new, empty table. @throws NoMemory */
  alloc(): Table {
    this.failure.check('page table');
    if (++this.live > this.peak) this.peak = this.live;
    const recycled = this.freed.pop();
    if (recycled !== undefined) return recycled;
    if (this.used * ENTRIES === this.entries.length) {
      if (this.entries.length >= 2 ** 31) throw new NoMemory('page table');
      const larger = new Int32Array(largerThan(this.used, MANY_TABLES) * ENTRIES);
      larger.set(this.entries as Int32Array);
      this.entries = larger;
    }
    return this.used++;
  }

  /** The entries, for whoever is about to change the one at `at`. */
  write(at: number): Int32Array {
    this.writes = (this.writes + 1) | 0;
    if (this.changes !== null) this.changes.note(at, 1, 0);
    return this.entries as Int32Array;
  }

  /** The same for the `count` from `at` on, in one table. */
  writeRange(at: number, count: number): Int32Array {
    this.writes = (this.writes + 1) | 0;
    this.changes?.note(at, count, 0);
    return this.entries as Int32Array;
  }

  /** The same for one entry of a PMD table. */
  writePmd(at: number): Int32Array {
    this.writes = (this.writes + 1) | 0;
    this.changes?.note(at, 1, 1);
    return this.entries as Int32Array;
  }

  /** Gives back an empty table. */
  free(table: Table): void {
    this.live--;
    this.freed.push(table);
  }

  /** Whether no entry of a table is in use. */
  isEmpty(table: Table): boolean {
    for (let at = table * ENTRIES; at < (table + 1) * ENTRIES; at++) if (this.entries[at] !== NONE) return false;
    return true;
  }

  /** The leaf table that maps page `vpn` below `pgd`, or 0. */
  leaf(pgd: Table, vpn: Vpn): Table {
    const { entries } = this;
    const high = Math.floor(vpn / SPAN[2]);
    const pud = entries[pgd * ENTRIES + (high >> 9)] >>> 8;
    if (pud === 0) return 0;
    const pmd = entries[pud * ENTRIES + (high & 511)] >>> 8;
    if (pmd === 0) return 0;
    const entry = entries[pmd * ENTRIES + ((vpn >>> 9) & 511)];
    return (entry & 7) === TABLE ? entry >>> 8 : 0;
  }

  /** Where in `entries` the PMD entry above page `vpn` is; 0: there is no PMD table. */
  pmdSlot(pgd: Table, vpn: Vpn): number {
    const table = this.pmd(pgd, vpn);
    return table === 0 ? 0 : table * ENTRIES + slotAt(vpn, 1);
  }

  /** Where the PMD entry is that maps 512 pages around `vpn` itself, without a leaf table; 0: there is none. */
  huge(pgd: Table, vpn: Vpn): number {
    const at = this.pmdSlot(pgd, vpn);
    return at !== 0 && this.entries[at] !== NONE && kindOf(this.entries[at]) !== TABLE ? at : 0;
  }

  /** Tables that are put by. */
  get deposited(): number {
    let tables = 0;
    for (const list of this.deposits.values()) tables += list.length;
    return tables;
  }

  /** Puts an empty leaf table by for the PMD entry at `at`. */
  deposit(at: number, leaf: Table): void {
    const table = Math.floor(at / ENTRIES);
    const list = this.deposits.get(table);
    if (list === undefined) this.deposits.set(table, [leaf]);
    else list.push(leaf);
  }

  /** Takes the table that was put by for the PMD entry at `at`. */
  withdraw(at: number): Table {
    const table = Math.floor(at / ENTRIES);
    const list = this.deposits.get(table) as Table[];
    const leaf = list.pop() as Table;
    if (list.length === 0) this.deposits.delete(table);
    return leaf;
  }

  /** The leaf table that maps page `vpn`, made if need be, with the tables above it; 0: a PMD entry maps it. @throws NoMemory, keeping what was made */
  allocLeaf(pgd: Table, vpn: Vpn): Table {
    let table = pgd;
    for (let level = LEVELS - 1; level > 0; level--) {
      const at = table * ENTRIES + slotAt(vpn, level);
      const entry = this.entries[at];
      if (entry !== NONE && kindOf(entry) !== TABLE) return 0;
      table = payloadOf(entry);
      if (table === 0) {
        table = this.alloc();
        this.point(at, table);
      }
    }
    return table;
  }

  /** The PMD table above page `vpn`, or 0. */
  pmd(pgd: Table, vpn: Vpn): Table {
    let table = pgd;
    for (let level = LEVELS - 1; level > 1; level--) {
      table = payloadOf(this.entries[table * ENTRIES + slotAt(vpn, level)]);
      if (table === 0) return 0;
    }
    return table;
  }

  /** Moves a PMD entry, a leaf table or a folio, from `fromVpn` to `toVpn`, where none is yet (move_normal_pmd, move_huge_pmd). */
  movePmd(pgd: Table, fromVpn: Vpn, toVpn: Vpn): void {
    const from = this.pmdSlot(pgd, fromVpn);
    const to = this.pmdSlot(pgd, toVpn);
    if (kindOf(this.entries[from]) !== TABLE) this.deposit(to, this.withdraw(from));
    else this.changes?.moved.push(payloadOf(this.entries[from]));
    this.writePmd(to)[to] = this.entries[from];
    this.writePmd(from)[from] = NONE;
  }

  /** Makes the tables above the leaf of page `vpn`, but not the leaf. @throws NoMemory, keeping what was made */
  allocPmd(pgd: Table, vpn: Vpn): Table {
    let table = pgd;
    for (let level = LEVELS - 1; level > 1; level--) {
      const at = table * ENTRIES + slotAt(vpn, level);
      table = payloadOf(this.entries[at]);
      if (table === 0) {
        table = this.alloc();
        this.point(at, table);
      }
    }
    return table;
  }

  /** The first page at or behind `vpn` and below `end` whose PMD entry is not empty; `end` if there is none. */
  nextLeaf(pgd: Table, vpn: Vpn, end: Vpn): Vpn {
    let at: number = vpn;
    while (at < end) {
      let table = pgd;
      let level = LEVELS - 1;
      for (; level > 0; level--) {
        const entry = this.entries[table * ENTRIES + slotAt(at as Vpn, level)];
        if (entry === NONE) break;
        table = payloadOf(entry);
      }
      if (level === 0) return at as Vpn;
      at = (Math.floor(at / SPAN[level]) + 1) * SPAN[level];
    }
    return end;
  }

  /**
   * Frees the tables that serve no page any more after the pages `first`..`last` (exclusive) were cleared, where the
   * neighbouring VMAs end at `floor` and begin at `ceiling` (free_pgd_range).
   */
  freeRange(pgd: Table, first: number, last: number, floor: number, ceiling: number): void {
    this.freeBelow(pgd, LEVELS - 1, 0, first, last, floor, ceiling);
  }

  /** Has the upper entry at `at` point to a lower table; 0: to none. */
  private point(at: number, table: Table): void {
    (this.entries as Int32Array)[at] = table === 0 ? NONE : makePte(TABLE, table, 0);
  }

  private freeBelow(
    table: Table,
    level: number,
    base: number,
    first: number,
    last: number,
    floor: number,
    ceiling: number,
  ): void {
    const span = SPAN[level];
    const from = Math.max(0, Math.floor((first - base) / span));
    const to = Math.min(ENTRIES - 1, Math.floor((last - 1 - base) / span));
    for (let slot = from; slot <= to; slot++) {
      const entry = this.entries[table * ENTRIES + slot];
      if (kindOf(entry) !== TABLE) continue;
      const lower = payloadOf(entry);
      const start = base + slot * span;
      if (level > 1) this.freeBelow(lower, level - 1, start, first, last, floor, ceiling);
      if (start < floor || start + span > ceiling) continue;
      this.point(table * ENTRIES + slot, 0);
      this.free(lower);
    }
  }
}

/** Page numbers have 36 bits, and `>>>` sees the lower 32. */
const slotAt = (vpn: Vpn, level: number): number =>
  (level === LEVELS - 1 ? Math.floor(vpn / SPAN[LEVELS - 1]) : vpn >>> (9 * level)) & (ENTRIES - 1);
