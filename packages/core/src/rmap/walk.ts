import { ContractViolation } from '../errors.js';
import type { Machine } from '../machine.js';
import { ENTRIES, type Table } from '../page-table/page-table.js';
import { kindOf, MIGRATION, PRESENT, type Pte, pfnOf } from '../page-table/pte.js';
import type { Op, Soon } from '../sync/op.js';
import { type Address, type Folio, isAligned, type Pgoff, pageOf } from '../units.js';
import { isTemporaryStack } from '../vma/vm-flags.js';
import type { VmArea } from '../vma/vma.js';
import { BUSY, GONE, type RmapQuery, type RmapVisitor, type Vma } from './contract.js';

/** What a walk does with the folio's entry in `vma`, under the page-table lock; false stops the walk. */
export type OnEntry = (vma: VmArea, address: Address, leaf: Table, at: number) => boolean;

/** Counts candidates and looks at the entries themselves: a candidate is a mapping only if its entry holds the folio (page_vma_mapped_walk). */
class EntryVisitor implements RmapVisitor {
  found = 0;
  candidates = 0;
  passes = 1;
  /** VMAs seen in this pass: by a stamp on each, or, where walks run concurrently, by a set of its own. */
  private stamp: number;
  private readonly seen: Set<number> | null;

  constructor(
    private readonly m: Machine,
    private readonly folio: Folio,
    private readonly onEntry: OnEntry,
    private readonly skipTemporaryStacks: boolean,
  ) {
    this.stamp = ++m.walkPasses;
    this.seen = m.sync.stepping ? new Set() : null;
  }

  visit(candidate: Vma, address: Address): Soon<boolean> {
    const vma = candidate as VmArea;
    this.candidates++;
    this.checkCandidate(vma, address);
    if (this.skipTemporaryStacks && isTemporaryStack(vma.flags)) return true;
    const vpn = pageOf(address);
    const leaf = vma.mm.leaf(vpn);
    if (leaf === 0) return true;
    const at = leaf * ENTRIES + (vpn & (ENTRIES - 1));
    if (this.m.sync.stepping) return this.lookStepping(vma, address, leaf, at);
    this.m.ptl.stats.writes++;
    return !this.holds(this.m.tables.entries[at]) || this.hit(vma, address, leaf, at);
  }

  restart(): void {
    this.found = 0;
    this.passes++;
    this.stamp = ++this.m.walkPasses;
    this.seen?.clear();
  }

  private *lookStepping(vma: VmArea, address: Address, leaf: Table, at: number): Op<boolean> {
    yield* this.m.ptl.lock(leaf);
    const more = !this.holds(this.m.tables.entries[at]) || this.hit(vma, address, leaf, at);
    this.m.ptl.unlock(leaf);
    return more;
  }

  private hit(vma: VmArea, address: Address, leaf: Table, at: number): boolean {
    this.found++;
    return this.onEntry(vma, address, leaf, at);
  }

  private holds(pte: Pte): boolean {
    const kind = kindOf(pte);
    return (kind === PRESENT || kind === MIGRATION) && this.m.mem.folioOf(pfnOf(pte)) === this.folio;
  }

  /** R19: live VMAs, page-aligned addresses inside them, each VMA once a pass. */
  private checkCandidate(vma: VmArea, address: Address): void {
    const again = this.seen === null ? vma.walkStamp === this.stamp : this.seen.has(vma.id);
    if (again || !isAligned(address) || address < vma.start || address >= vma.end) {
      const fault = again ? `${vma} was visited before in this pass` : `the address is unaligned or outside ${vma}`;
      throw new ContractViolation('R19', 'walk', 'visit', `folio ${this.folio} at 0x${address.toString(16)}: ${fault}`);
    }
    vma.walkStamp = this.stamp;
    this.seen?.add(vma.id);
  }
}

/** How a walk went. */
export interface WalkCost {
  readonly candidates: number;
  readonly found: number;
  readonly passes: number;
  /** False: the folio is not mapped, or its lock could not be had at once. */
  readonly walked: boolean;
}

/** The offsets that a folio's pages have. */
function queryOf(m: Machine, folio: Folio): RmapQuery {
  const first = m.mem.index[folio];
  return { folio, first: first as Pgoff, last: (first + m.mem.pages(folio) - 1) as Pgoff, mappings: m.mem.mapcount[folio] };
}

/** Visits every entry that maps an anonymous folio (rmap_walk). @param wait false: give up when the strategy's lock is contended */
export function* walkFolio(m: Machine, folio: Folio, onEntry: OnEntry, wait = true, skipTemporaryStacks = false): Op<WalkCost> {
  const visitor = new EntryVisitor(m, folio, onEntry, skipTemporaryStacks);
  const answer = m.rmap.hold(folio, 'read', wait);
  const hold = typeof answer === 'number' ? answer : yield* answer;
  if (hold === GONE || hold === BUSY) return { candidates: 0, found: 0, passes: 0, walked: false };
  try {
    yield* m.rmap.walk(hold, queryOf(m, folio), visitor);
  } finally {
    const work = m.rmap.release(hold);
    if (work) yield* work;
  }
  return { candidates: visitor.candidates, found: visitor.found, passes: visitor.passes, walked: true };
}
