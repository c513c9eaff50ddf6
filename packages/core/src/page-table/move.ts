import { NoMemory } from '../errors.js';
import type { Machine } from '../machine.js';
import type { PageTableMove } from '../rmap/contract.js';
import { finish, type Op, READY, ready } from '../sync/op.js';
import { type Address, addressOf, PAGE_SIZE, pageOf, type Vpn } from '../units.js';
import type { VmArea } from '../vma/vma.js';
import { ENTRIES, PAGES_PER_LEAF, type Table } from './page-table.js';
import { isMapping, kindOf, NONE, PRESENT, payloadOf, pfnOf, TABLE } from './pte.js';
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

  next(): Op<boolean> {
    return this.m.sync.stepping ? this.nextStepping() : this.find();
  }

  private *nextStepping(): Op<boolean> {
    yield { kind: 'alloc', object: this, label: 'page table' };
    return yield* this.find();
  }

  private find(): Op<boolean> {
    const { tables, rmap } = this.m;
    const { pgd } = this.from.mm;
    const first = pageOf(this.fromStart);
    const last = first + this.bytes / PAGE_SIZE;
    const at = (first + this.done) as Vpn;
    const byTable = at < last && this.from.mm.leaf(at) !== 0;
    const old = byTable ? at : tables.nextLeaf(pgd, at, last as Vpn);
    this.done = old - first;
    if (old >= last) return ready(false);
    const target = (pageOf(this.toStart) + this.done) as Vpn;
    const room = Math.min(PAGES_PER_LEAF - (old & (PAGES_PER_LEAF - 1)), PAGES_PER_LEAF - (target & (PAGES_PER_LEAF - 1)));
    this.extent = Math.min(room, last - old);
    if (this.extent === PAGES_PER_LEAF && tables.leaf(pgd, target) === 0) {
      tables.allocPmd(pgd, target);
      this.level = tables.huge(pgd, old) !== 0 ? 'pmd' : 'table';
      return ready(true);
    }
    this.level = 'pte';
    const folio = !byTable && tables.huge(pgd, old) !== 0;
    if (folio || (rmap.reserve !== undefined && this.why !== 'rollback')) return this.makeReady(folio, old, target);
    tables.allocLeaf(pgd, target);
    return ready(true);
  }

  /** Where the entries of a folio mapped as a whole part, and where a strategy needs memory for each. */
  private *makeReady(folio: boolean, old: Vpn, target: Vpn): Op<boolean> {
    if (folio) {
      yield* splitPmd(this.m, this.from, old);
      this.from.mm.forgetShortcuts();
    }
    if (this.m.rmap.reserve && this.why !== 'rollback') {
      const work = this.m.rmap.reserve(this.extent);
      if (work) yield* work;
    }
    this.m.tables.allocLeaf(this.from.mm.pgd, target);
    return true;
  }

  step(): Op<void> {
    const { m } = this;
    const source = (pageOf(this.fromStart) + this.done) as Vpn;
    const target = (pageOf(this.toStart) + this.done) as Vpn;
    if (this.level === 'pmd') return this.movePmd(source, target);
    const leaf = this.from.mm.leaf(source);
    const into = m.tables.leaf(this.from.mm.pgd, target);
    if (m.sync.stepping || m.rmap.mapping !== undefined) return this.moveUnderLocks(source, target, leaf, into);
    m.ptl.stats.writes += into !== 0 && into !== leaf ? 2 : 1;
    this.moveLeaf(source, target, leaf, into);
    return READY;
  }

  private *moveUnderLocks(source: Vpn, target: Vpn, leaf: Table, into: Table): Op<void> {
    const { m, extent } = this;
    yield* m.ptl.lock(leaf);
    if (into !== 0 && into !== leaf) yield* m.ptl.lock(into);
    if (m.rmap.mapping) {
      const from = m.fromSpan.ofTable(this.from, addressOf(source), extent, leaf, source & (ENTRIES - 1), this.level);
      const work = m.rmap.mapping(m.span.ofPlace(this.to, addressOf(target), extent, this.level), 'move', from);
      if (work) yield* work;
    }
    if (m.sync.stepping) yield { kind: 'pte', object: this.from.mm, label: 'move' };
    this.moveLeaf(source, target, leaf, into);
    if (into !== 0 && into !== leaf) m.ptl.unlock(into);
    m.ptl.unlock(leaf);
  }

  private moveLeaf(source: Vpn, target: Vpn, leaf: Table, into: Table): void {
    const { mm } = this.from;
    mm.forgetShortcuts();
    if (this.level === 'table') this.m.tables.movePmd(mm.pgd, source, target);
    else this.moveEntries(leaf * ENTRIES + (source & (ENTRIES - 1)), into * ENTRIES + (target & (ENTRIES - 1)));
    this.done += this.extent;
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
    if (kindOf(pmd) === TABLE) {
      if (into !== lock) m.ptl.unlock(into);
      m.ptl.unlock(lock);
      this.level = 'table'; // it was split meanwhile
      yield* this.moveUnderLocks(source, target, payloadOf(pmd), 0);
      return;
    }
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
    this.m.tables.writeRange(from, this.extent);
    const entries = this.m.tables.writeRange(to, this.extent);
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
export function moveOrRollBack(m: Machine, range: MoveRange): Op<boolean> {
  const move = new LeafMove(m, range);
  if (m.sync.stepping) return moveStepping(m, move);
  try {
    finish(movePageTables(m, move));
    return ready(true);
  } catch (error) {
    if (!(error instanceof NoMemory)) throw error;
    finish(movePageTables(m, new LeafMove(m, backOf(move))));
    return ready(false);
  }
}

/** The same, giving way to others. */
function* moveStepping(m: Machine, move: LeafMove): Op<boolean> {
  try {
    yield* movePageTables(m, move);
    return true;
  } catch (error) {
    if (!(error instanceof NoMemory)) throw error;
    yield* movePageTables(m, new LeafMove(m, backOf(move)));
    return false;
  }
}

/** What undoes a move as far as it came. */
const backOf = (move: LeafMove): MoveRange => ({
  why: 'rollback',
  from: move.to,
  to: move.from,
  merged: true,
  fromStart: move.toStart,
  toStart: move.fromStart,
  bytes: move.done * PAGE_SIZE,
});
