import { NoMemory } from '../errors.js';
import type { Machine } from '../machine.js';
import type { PageTableMove } from '../rmap/contract.js';
import type { Op } from '../sync/op.js';
import { type Address, addressOf, PAGE_SIZE, pageOf, type Vpn } from '../units.js';
import type { VmArea } from '../vma/vma.js';
import { ENTRIES, PAGES_PER_LEAF } from './page-table.js';
import { isMapping, kindOf, NONE, PRESENT, pfnOf } from './pte.js';
import { splitPmd } from './split-pmd.js';

/** What travels where. */
export interface MoveRange {
  readonly why: 'mremap' | 'rollback' | 'exec-stack';
  readonly from: VmArea;
  readonly to: VmArea;
  readonly merged: boolean;
  readonly fromStart: Address;
  readonly toStart: Address;
  readonly bytes: number;
}

/** Entries that travel from one place of an address space to another, at most a leaf table's worth a step (move_page_tables). */
export class LeafMove implements PageTableMove {
  readonly why: 'mremap' | 'rollback' | 'exec-stack';
  readonly from: VmArea;
  readonly to: VmArea;
  readonly merged: boolean;
  readonly fromStart: Address;
  readonly toStart: Address;
  readonly bytes: number;
  level: 'pte' | 'pmd' | 'table' = 'pte';
  /** Pages that have arrived, or were not there: what a rollback brings back. */
  done = 0;
  private extent = 0;

  constructor(
    private readonly m: Machine,
    range: MoveRange,
  ) {
    this.why = range.why;
    this.from = range.from;
    this.to = range.to;
    this.merged = range.merged;
    this.fromStart = range.fromStart;
    this.toStart = range.toStart;
    this.bytes = range.bytes;
  }

  *next(): Op<boolean> {
    const { tables } = this.m;
    const { pgd } = this.from.mm;
    const first = pageOf(this.fromStart);
    const last = first + this.bytes / PAGE_SIZE;
    if (this.m.sync.stepping) yield { kind: 'alloc', object: this, label: 'page table' };
    const at = (first + this.done) as Vpn;
    const byTable = at < last && this.from.mm.leaf(at) !== 0;
    const old = byTable ? at : tables.nextLeaf(pgd, at, last as Vpn);
    this.done = old - first;
    if (old >= last) return false;
    const target = (pageOf(this.toStart) + this.done) as Vpn;
    const room = Math.min(PAGES_PER_LEAF - (old & (PAGES_PER_LEAF - 1)), PAGES_PER_LEAF - (target & (PAGES_PER_LEAF - 1)));
    this.extent = Math.min(room, last - old);
    if (this.extent === PAGES_PER_LEAF && tables.leaf(pgd, target) === 0) {
      tables.allocPmd(pgd, target);
      this.level = tables.huge(pgd, old) !== 0 ? 'pmd' : 'table';
      return true;
    }
    if (!byTable && tables.huge(pgd, old) !== 0) {
      yield* splitPmd(this.m, this.from, old);
      this.from.mm.forgetShortcuts();
    }
    this.level = 'pte';
    if (this.m.rmap.reserve && this.why !== 'rollback') {
      const work = this.m.rmap.reserve(this.extent);
      if (work) yield* work;
    }
    tables.allocLeaf(pgd, target);
    return true;
  }

  *step(): Op<void> {
    const { m, extent } = this;
    const { tables } = m;
    const { mm } = this.from;
    const source = (pageOf(this.fromStart) + this.done) as Vpn;
    const target = (pageOf(this.toStart) + this.done) as Vpn;
    if (this.level === 'pmd') {
      yield* this.movePmd(source, target);
      return;
    }
    const leaf = tables.leaf(mm.pgd, source);
    const into = tables.leaf(mm.pgd, target);
    yield* m.ptl.lock(leaf);
    if (into !== 0 && into !== leaf) yield* m.ptl.lock(into);
    if (m.rmap.mapping) {
      const from = m.fromSpan.ofTable(this.from, addressOf(source), extent, leaf, source & (ENTRIES - 1), this.level);
      const work = m.rmap.mapping(m.span.ofPlace(this.to, addressOf(target), extent, this.level), 'move', from);
      if (work) yield* work;
    }
    if (m.sync.stepping) yield { kind: 'pte', object: mm, label: 'move' };
    mm.forgetShortcuts();
    if (this.level === 'table') tables.movePmd(mm.pgd, source, target);
    else this.moveEntries(leaf * ENTRIES + (source & (ENTRIES - 1)), into * ENTRIES + (target & (ENTRIES - 1)));
    if (into !== 0 && into !== leaf) m.ptl.unlock(into);
    m.ptl.unlock(leaf);
    this.done += extent;
  }

  /** A PMD entry that maps a folio, with the table put by for it (move_huge_pmd). */
  private *movePmd(source: Vpn, target: Vpn): Op<void> {
    const { m } = this;
    const { mm } = this.from;
    const lock = Math.floor(m.tables.pmdSlot(mm.pgd, source) / ENTRIES);
    const into = Math.floor(m.tables.pmdSlot(mm.pgd, target) / ENTRIES);
    yield* m.ptl.lock(lock);
    if (into !== lock) yield* m.ptl.lock(into);
    const pmd = m.tables.entries[m.tables.pmdSlot(mm.pgd, source)];
    if (m.rmap.mapping && isMapping(pmd)) {
      const from = m.fromSpan.ofPmd(this.from, addressOf(source), pfnOf(pmd), kindOf(pmd) === PRESENT);
      const work = m.rmap.mapping(m.span.ofPmd(this.to, addressOf(target), -1), 'move', from);
      if (work) yield* work;
    }
    if (m.sync.stepping) yield { kind: 'pte', object: mm, label: 'move' };
    mm.forgetShortcuts();
    m.tables.movePmd(mm.pgd, source, target);
    if (into !== lock) m.ptl.unlock(into);
    m.ptl.unlock(lock);
    this.done += this.extent;
  }

  private moveEntries(from: number, to: number): void {
    const { entries } = this.m.tables;
    for (let i = 0; i < this.extent; i++) {
      const pte = entries[from + i];
      if (pte === NONE) continue;
      entries[from + i] = NONE;
      entries[to + i] = pte;
    }
  }
}

/** Moves all entries, as the strategy wants it done. @throws NoMemory; `move.done` pages have travelled by then */
export function movePageTables(m: Machine, move: LeafMove): Op<void> {
  return m.rmap.move ? m.rmap.move(move) : moveAll(move);
}

function* moveAll(move: LeafMove): Op<void> {
  while (yield* move.next()) yield* move.step();
}

/** Moves all entries or none: a move that runs out of memory is undone. Whether it succeeded. */
export function* moveOrRollBack(m: Machine, range: MoveRange): Op<boolean> {
  const move = new LeafMove(m, range);
  try {
    yield* movePageTables(m, move);
    return true;
  } catch (error) {
    if (!(error instanceof NoMemory)) throw error;
    const back: MoveRange = {
      why: 'rollback',
      from: range.to,
      to: range.from,
      merged: true,
      fromStart: range.toStart,
      toStart: range.fromStart,
      bytes: move.done * PAGE_SIZE,
    };
    yield* movePageTables(m, new LeafMove(m, back));
    return false;
  }
}
