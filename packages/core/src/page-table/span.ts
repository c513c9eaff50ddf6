import { ANON } from '../folio/mem-map.js';
import type { Machine } from '../machine.js';
import type { PteSpan, Vma } from '../rmap/contract.js';
import { type Address, PAGE_SIZE, type Pfn } from '../units.js';
import { ENTRIES, PAGES_PER_LEAF, type Table } from './page-table.js';
import { isMapping, kindOf, PRESENT, pfnOf } from './pte.js';

/** Neighbouring entries of one leaf table, as hooks see them. Either entries that are in the table, or one page about to be stored or just replaced. */
export class LeafSpan implements PteSpan {
  vma!: Vma;
  address = 0 as Address;
  pages = 0;
  level: 'pte' | 'pmd' | 'table' = 'pte';
  private table: Table = 0;
  private slot = 0;
  private page = -1;
  private present = true;

  constructor(private readonly machine: Machine) {}

  /** The entries `slot`.. of `table`, which map `pages` pages from `address`. */
  ofTable(vma: Vma, address: Address, pages: number, table: Table, slot: number, level: 'pte' | 'pmd' | 'table' = 'pte'): this {
    this.vma = vma;
    this.address = address;
    this.pages = pages;
    this.level = level;
    this.table = table;
    this.slot = slot;
    this.page = -1;
    return this;
  }

  /** One page at `address`, whatever the table holds. */
  ofPage(vma: Vma, address: Address, page: Pfn): this {
    this.ofTable(vma, address, 1, 0, 0);
    this.page = page;
    this.present = true;
    return this;
  }

  /** A PMD entry at `address` that maps the folio whose first page is `page`, or, not present, migrates it; -1: none that counts. */
  ofPmd(vma: Vma, address: Address, page: Pfn | -1, present = true): this {
    this.ofTable(vma, address, PAGES_PER_LEAF, 0, 0, 'pmd');
    this.page = page;
    this.present = present;
    return this;
  }

  /** A destination that will receive the entries of another span. */
  ofPlace(vma: Vma, address: Address, pages: number, level: 'pte' | 'pmd' | 'table' = 'pte'): this {
    return this.ofTable(vma, address, pages, 0, 0, level);
  }

  forEach(fn: (page: Pfn, at: Address, present: boolean) => void): void {
    if (this.page >= 0) {
      fn(this.page as Pfn, this.address, this.present);
      return;
    }
    if (this.table === 0) return;
    const { mem, tables } = this.machine;
    const first = this.table * ENTRIES + this.slot;
    for (let i = 0; i < this.pages; i++) {
      const pte = tables.entries[first + i];
      if (!isMapping(pte)) continue;
      const pfn = pfnOf(pte);
      if ((mem.flags[pfn] & ANON) !== 0) fn(pfn, (this.address + i * PAGE_SIZE) as Address, kindOf(pte) === PRESENT);
    }
  }
}
