import { ContractViolation } from '../errors.js';
import { totalMapcount } from '../folio/mapcount.js';
import { KSM, LARGE, SWAPCACHE } from '../folio/mem-map.js';
import type { Machine } from '../machine.js';
import { ENTRIES, PAGES_PER_LEAF, type Table } from '../page-table/page-table.js';
import { kindOf, type MIGRATION, PRESENT, type Pte, pfnOf } from '../page-table/pte.js';
import { splitPmdLocked } from '../page-table/split-pmd.js';
import type { RmapItem } from '../reclaim/ksm-state.js';
import { finish, type Op, ready, run, type Soon } from '../sync/op.js';
import { type Address, addressOf, type Folio, isAligned, PAGE_SIZE, type Pfn, type Pgoff, pageOf, type Vpn } from '../units.js';
import { isTemporaryStack } from '../vma/vm-flags.js';
import type { VmArea } from '../vma/vma.js';
import { BUSY, GONE, type RmapHold, type RmapQuery, type RmapVisitor, type Vma } from './contract.js';

/** What a walk does with the folio's entry in `vma`, under the page-table lock; false stops the walk. */
export type OnEntry = (vma: VmArea, address: Address, table: Table, at: number, byPmd: boolean) => boolean;

/** What a walk looks at. */
interface WalkOptions {
  /** False: give up when the strategy's lock is contended. */
  readonly wait?: boolean;
  /** Leaves the stack alone that exec is building. */
  readonly skipTemporaryStacks?: boolean;
  /** PMD entries of which VMAs are split on the way, and come as PTEs. Default: none. */
  readonly splitPmds?: (vma: VmArea) => boolean;
  /** Present entries (default), or migration entries. */
  readonly kind?: typeof PRESENT | typeof MIGRATION;
  /** Whose entries, where another folio has taken over. */
  readonly entriesOf?: Folio;
}

const DEFAULTS: WalkOptions = {};
const noPmds = (): boolean => false;

/** Counts candidates and looks at the entries themselves: a candidate is a mapping only if its entry holds the folio (page_vma_mapped_walk). */
class EntryVisitor implements RmapVisitor {
  found = 0;
  candidates = 0;
  /** Candidates by the time of the last entry found. */
  needed = 0;
  passes = 1;
  /** VMAs seen in this pass: by a stamp on each, or, where walks run concurrently, by a set of its own. */
  private stamp: number;
  private readonly seen: Set<number> | null;
  /** Places seen, where one VMA may map the folio at several: a KSM page found from itself. */
  private readonly places: Set<string> | null;
  private readonly skipTemporaryStacks: boolean;
  private readonly splitPmds: (vma: VmArea) => boolean;
  private readonly kind: number;
  private readonly entriesOf: Folio;

  constructor(
    private readonly m: Machine,
    private readonly folio: Folio,
    private readonly onEntry: OnEntry,
    { skipTemporaryStacks = false, splitPmds = noPmds, kind = PRESENT, entriesOf = folio }: WalkOptions,
  ) {
    this.skipTemporaryStacks = skipTemporaryStacks;
    this.splitPmds = splitPmds;
    this.kind = kind;
    this.entriesOf = entriesOf;
    this.stamp = ++m.walkPasses;
    this.seen = m.sync.stepping ? new Set() : null;
    this.places = (m.mem.flags[folio] & KSM) !== 0 && !m.ksmByAnchors ? new Set() : null;
  }

  visit(candidate: Vma, address: Address): Soon<boolean> {
    const vma = candidate as VmArea;
    this.candidates++;
    this.checkCandidate(vma, address);
    if (this.skipTemporaryStacks && isTemporaryStack(vma.flags)) return true;
    if ((this.m.mem.flags[this.folio] & LARGE) !== 0) return this.visitLarge(vma, address);
    const vpn = pageOf(address);
    const leaf = vma.mm.leaf(vpn);
    if (leaf === 0) return true;
    const at = leaf * ENTRIES + (vpn & (ENTRIES - 1));
    if (this.m.sync.stepping) return this.lookStepping(vma, address, leaf, at);
    this.m.ptl.stats.writes++;
    return !this.holds(this.m.tables.entries[at]) || this.hit(vma, address, leaf, at);
  }

  /** All pages of the folio that lie in `vma`, from `address` on, by PTE or PMD. */
  private visitLarge(vma: VmArea, address: Address): Soon<boolean> {
    const { mem, tables, sync } = this.m;
    const behind = vma.start + (mem.index[this.folio] + mem.pages(this.folio) - vma.anonPgoff) * PAGE_SIZE;
    const last = pageOf(Math.min(behind, vma.end) as Address);
    if (sync.stepping) return this.visitLargeStepping(vma, address, last);
    for (let vpn = pageOf(address); vpn < last; ) {
      const stop = Math.min((Math.floor(vpn / PAGES_PER_LEAF) + 1) * PAGES_PER_LEAF, last) as Vpn;
      const huge = tables.huge(vma.mm.pgd, vpn);
      if (huge !== 0 && !this.lookAtPmd(vma, vpn, huge)) return false;
      if (!this.lookAtLeaf(vma, vpn, stop)) return false;
      vpn = stop;
    }
    return true;
  }

  private *visitLargeStepping(vma: VmArea, address: Address, last: Vpn): Op<boolean> {
    const { tables, ptl } = this.m;
    for (let vpn = pageOf(address); vpn < last; ) {
      const stop = Math.min((Math.floor(vpn / PAGES_PER_LEAF) + 1) * PAGES_PER_LEAF, last) as Vpn;
      const huge = tables.huge(vma.mm.pgd, vpn);
      if (huge !== 0) {
        const lock = Math.floor(huge / ENTRIES);
        yield* ptl.lock(lock);
        const more = tables.huge(vma.mm.pgd, vpn) === 0 || this.lookAtPmd(vma, vpn, huge);
        ptl.unlock(lock);
        if (!more) return false;
      }
      const leaf = tables.leaf(vma.mm.pgd, vpn);
      if (leaf !== 0) {
        yield* ptl.lock(leaf);
        const more = tables.leaf(vma.mm.pgd, vpn) !== leaf || this.lookAtLeaf(vma, vpn, stop);
        ptl.unlock(leaf);
        if (!more) return false;
      }
      vpn = stop;
    }
    return true;
  }

  /** The PMD entry at `at`; a visitor that wants PTEs has it split, and its leaf is looked at next. */
  private lookAtPmd(vma: VmArea, vpn: Vpn, at: number): boolean {
    if (!this.m.sync.stepping) this.m.ptl.stats.writes++;
    if (!this.holds(this.m.tables.entries[at])) return true;
    if (this.splitPmds(vma)) {
      splitPmdLocked(this.m, vma, at, vpn);
      vma.mm.forgetShortcuts();
      return true;
    }
    return this.hit(
      vma,
      addressOf((Math.floor(vpn / PAGES_PER_LEAF) * PAGES_PER_LEAF) as Vpn),
      Math.floor(at / ENTRIES),
      at,
      true,
    );
  }

  private lookAtLeaf(vma: VmArea, vpn: Vpn, stop: Vpn): boolean {
    const leaf = this.m.tables.leaf(vma.mm.pgd, vpn);
    if (leaf === 0) return true;
    if (!this.m.sync.stepping) this.m.ptl.stats.writes++;
    const first = leaf * ENTRIES - Math.floor(vpn / ENTRIES) * ENTRIES;
    for (let page = vpn as number; page < stop; page++) {
      if (this.holds(this.m.tables.entries[first + page]) && !this.hit(vma, addressOf(page as Vpn), leaf, first + page))
        return false;
    }
    return true;
  }

  restart(): void {
    this.found = 0;
    this.passes++;
    this.stamp = ++this.m.walkPasses;
    this.seen?.clear();
    this.places?.clear();
  }

  private *lookStepping(vma: VmArea, address: Address, leaf: Table, at: number): Op<boolean> {
    yield* this.m.ptl.lock(leaf);
    // The table may have gone, and serve another address space by now.
    const same = vma.mm.leaf(pageOf(address)) === leaf;
    const more = !same || !this.holds(this.m.tables.entries[at]) || this.hit(vma, address, leaf, at);
    this.m.ptl.unlock(leaf);
    return more;
  }

  private hit(vma: VmArea, address: Address, table: Table, at: number, byPmd = false): boolean {
    this.found++;
    this.needed = this.candidates;
    return this.onEntry(vma, address, table, at, byPmd);
  }

  private holds(pte: Pte): boolean {
    return kindOf(pte) === this.kind && this.m.mem.folioOf(pfnOf(pte)) === this.entriesOf;
  }

  /** R19: live VMAs, page-aligned addresses inside them, each VMA (of a KSM page found from itself: each place) once a pass. */
  private checkCandidate(vma: VmArea, address: Address): void {
    const again = this.seenBefore(vma, address);
    if (again || !isAligned(address) || address < vma.start || address >= vma.end) {
      const fault = again ? `${vma} was visited before in this pass` : `the address is unaligned or outside ${vma}`;
      throw new ContractViolation('R19', 'walk', 'visit', `folio ${this.folio} at 0x${Number(address).toString(16)}: ${fault}`);
    }
    vma.walkStamp = this.stamp;
    this.seen?.add(vma.id);
    this.places?.add(`${vma.id} ${address}`);
  }

  private seenBefore(vma: VmArea, address: Address): boolean {
    if (this.places !== null) return this.places.has(`${vma.id} ${address}`);
    return this.seen === null ? vma.walkStamp === this.stamp : this.seen.has(vma.id);
  }
}

/** How a walk went. */
export interface WalkCost {
  readonly candidates: number;
  /** Candidates up to the last entry found. */
  readonly needed: number;
  readonly found: number;
  readonly passes: number;
  /** False: the folio is not mapped, or its lock could not be had at once. */
  readonly walked: boolean;
}

const costOf = ({ candidates, needed, found, passes }: EntryVisitor): WalkCost => ({
  candidates,
  needed,
  found,
  passes,
  walked: true,
});

const NO_WALK: WalkCost = { candidates: 0, needed: 0, found: 0, passes: 0, walked: false };

/** Everything linked to a pin, at one address: what 6.18 looks at for a KSM page, wherever the page's offset there is. */
const EVERYTHING = { first: 0 as Pgoff, last: (2 ** 51) as Pgoff } as const;

/** Passes a walk on to the one address that a KSM item remembers, in its own address space first, in those forked from it next. */
class KsmVisitor implements RmapVisitor {
  /** VMAs that the strategy showed, whether the item's page can be there or not. */
  offered = 0;

  constructor(
    private readonly entries: EntryVisitor,
    private readonly item: RmapItem,
    private readonly forks: boolean,
  ) {}

  get found(): number {
    return this.entries.found;
  }

  visit(candidate: Vma, _address: Address): Soon<boolean> {
    this.offered++;
    const vma = candidate as VmArea;
    const { address, mmId } = this.item;
    if (address < vma.start || address >= vma.end || (vma.mm.id === mmId) === this.forks) return true;
    return this.entries.visit(vma, address);
  }

  restart(): void {
    this.entries.restart();
  }
}

/** rmap_walk_ksm: from each place where the page was merged, in two rounds, until `onEntry` has enough. An entry may be met more than once. */
function* walkKsm(m: Machine, folio: Folio, onEntry: OnEntry, options: WalkOptions): Op<WalkCost> {
  const places = new Set<number>();
  let candidates = 0;
  let needed = 0;
  let passes = 0;
  let more = true;
  let visitor: KsmVisitor;
  const once: OnEntry = (vma, address, table, at, byPmd) => {
    if (places.has(at)) return true;
    places.add(at);
    needed = candidates + visitor.offered;
    more = onEntry(vma, address, table, at, byPmd);
    return more;
  };
  for (const forks of [false, true]) {
    for (const item of m.ksm.stable.get(folio as number as Pfn) ?? []) {
      if (!more) break;
      visitor = new KsmVisitor(new EntryVisitor(m, folio, once, options), item, forks);
      yield* m.rmap.walk(item.hold, { folio, ...EVERYTHING, mappings: null }, visitor);
      candidates += visitor.offered;
      passes++;
    }
  }
  return { candidates, needed, found: places.size, passes, walked: true };
}

/** The offsets that a folio's pages have. */
function queryOf(m: Machine, folio: Folio): RmapQuery {
  const first = m.mem.index[folio];
  const last = first + m.mem.pages(folio) - 1;
  const mappings = (m.mem.flags[folio] & SWAPCACHE) === 0 ? totalMapcount(m.mem, folio) : null;
  return { folio, first: first as Pgoff, last: last as Pgoff, mappings };
}

/** Visits every entry that maps a folio whose reverse map is held already; `folio` may be one that took over from the one held. */
export function* walkHeld(m: Machine, hold: RmapHold, folio: Folio, onEntry: OnEntry, options = DEFAULTS): Op<number> {
  const { index } = m.mem;
  const first = index[folio] as Pgoff;
  const last = (first + m.mem.pages(folio) - 1) as Pgoff;
  const visitor = new EntryVisitor(m, folio, onEntry, options);
  yield* m.rmap.walk(hold, { folio, first, last, mappings: null }, visitor);
  return visitor.found;
}

/** Visits every entry that maps an anonymous folio (rmap_walk). */
export function walkFolio(m: Machine, folio: Folio, onEntry: OnEntry, options = DEFAULTS): Op<WalkCost> {
  if ((m.mem.flags[folio] & KSM) !== 0 && m.ksmByAnchors) return walkKsm(m, folio, onEntry, options);
  if (m.sync.stepping) return walkStepping(m, folio, onEntry, options);
  const visitor = new EntryVisitor(m, folio, onEntry, options);
  const answer = m.rmap.hold(folio, 'read', options.wait ?? true);
  const hold = typeof answer === 'number' ? answer : run(answer);
  if (hold === GONE || hold === BUSY) return ready(NO_WALK);
  try {
    run(m.rmap.walk(hold, queryOf(m, folio), visitor));
  } finally {
    finish(m.rmap.release(hold));
  }
  return ready(costOf(visitor));
}

/** The same, giving way to others. */
function* walkStepping(m: Machine, folio: Folio, onEntry: OnEntry, options: WalkOptions): Op<WalkCost> {
  const visitor = new EntryVisitor(m, folio, onEntry, options);
  const answer = m.rmap.hold(folio, 'read', options.wait ?? true);
  const hold = typeof answer === 'number' ? answer : yield* answer;
  if (hold === GONE || hold === BUSY) return NO_WALK;
  try {
    yield* m.rmap.walk(hold, queryOf(m, folio), visitor);
  } finally {
    const work = m.rmap.release(hold);
    if (work) yield* work;
  }
  return costOf(visitor);
}
