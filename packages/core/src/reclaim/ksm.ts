import { copyWriteProtected } from '../fault/wp.js';
import { putPage } from '../folio/free.js';
import { isLarge, totalMapcount } from '../folio/mapcount.js';
import { ANON, EXCLUSIVE, KSM, SWAPCACHE } from '../folio/mem-map.js';
import { splitMapped } from '../folio/split.js';
import type { Machine } from '../machine.js';
import type { Mm } from '../mm/mm.js';
import { ENTRIES } from '../page-table/page-table.js';
import { DIRTY, kindOf, makePte, PRESENT, pfnOf, WRITE, YOUNG } from '../page-table/pte.js';
import type { RmapHold } from '../rmap/contract.js';
import type { Op } from '../sync/op.js';
import { type Address, addressOf, type Folio, type Pfn, pageOf, type Vpn } from '../units.js';
import { VM_MERGEABLE } from '../vma/vm-flags.js';
import type { VmArea } from '../vma/vma.js';

/** Where a KSM page was mapped when it was merged, and the pinned reverse map of that VMA (ksm_rmap_item). */
export interface RmapItem {
  readonly mm: Mm;
  readonly mmId: number;
  readonly address: Address;
  readonly hold: RmapHold;
}

/** What KSM knows. A stable node is found by its contents or by its page; it dies with the page. */
export class KsmState {
  /** Items of each KSM page (the stable tree). */
  readonly stable = new Map<Pfn, RmapItem[]>();
  /** The KSM page of each contents. */
  readonly byContents = new Map<number, Pfn>();
  /** Pages that had further mappings when they became pages of KSM: what the items reach need not cover those. */
  readonly sharedBefore = new Set<Pfn>();
  /** Items of pages that are gone, until the next pass lets go of their pins. */
  readonly stale: RmapItem[] = [];

  /** Pins held. */
  get items(): number {
    return [...this.stable.values()].reduce((sum, items) => sum + items.length, this.stale.length);
  }

  /** The page is freed. */
  forget(page: Pfn, contents: number): void {
    this.stale.push(...(this.stable.get(page) ?? []));
    this.stable.delete(page);
    this.sharedBefore.delete(page);
    if (this.byContents.get(contents) === page) this.byContents.delete(contents);
  }
}

/** A page that may be merged. */
interface Candidate {
  readonly vma: VmArea;
  readonly vpn: Vpn;
}

/** One complete pass over all memory marked MADV_MERGEABLE: pages of equal contents become one (ksm_scan). How many pages were merged. */
export function* ksmScan(m: Machine): Op<number> {
  yield* dropStale(m);
  const unstable = new Map<number, Candidate>();
  let merged = 0;
  for (const mm of [...m.mms.values()]) {
    yield* mm.mmapLock.read();
    try {
      for (const vma of mm.tree) {
        if ((vma.flags & VM_MERGEABLE) === 0 || !vma.faulted) continue;
        merged += yield* scanVma(m, vma, unstable);
      }
    } finally {
      mm.mmapLock.readUnlock();
    }
  }
  return merged;
}

/** Gives every page of KSM back to its owners as a copy, and lets go of all pins (`run` = 2, unmerge_and_remove_all_rmap_items). @throws NoMemory, what was done stays */
export function* ksmUnmerge(m: Machine): Op<void> {
  for (const mm of [...m.mms.values()]) {
    yield* mm.mmapLock.read();
    try {
      for (const vma of mm.tree) yield* breakKsm(m, vma, vma.start, vma.end);
    } finally {
      mm.mmapLock.readUnlock();
    }
  }
  yield* dropStale(m);
}

function* scanVma(m: Machine, vma: VmArea, unstable: Map<number, Candidate>): Op<number> {
  const { tables } = m;
  const { pgd } = vma.mm;
  const last = pageOf(vma.end);
  let merged = 0;
  for (let vpn = tables.nextLeaf(pgd, pageOf(vma.start), last); vpn < last; vpn = tables.nextLeaf(pgd, (vpn + 1) as Vpn, last)) {
    if (yield* mergePage(m, { vma, vpn }, unstable)) merged++;
  }
  return merged;
}

/** The present anonymous page of a candidate, or null. */
function pageOfCandidate(m: Machine, { vma, vpn }: Candidate): Pfn | null {
  const leaf = m.tables.leaf(vma.mm.pgd, vpn);
  const pte = leaf === 0 ? 0 : m.tables.entries[leaf * ENTRIES + (vpn & (ENTRIES - 1))];
  return kindOf(pte) === PRESENT && (m.mem.flags[pfnOf(pte)] & ANON) !== 0 ? pfnOf(pte) : null;
}

/** cmp_and_merge_page: into a page of KSM, or together with a page met earlier in this pass. */
function* mergePage(m: Machine, candidate: Candidate, unstable: Map<number, Candidate>): Op<boolean> {
  const { mem, ksm } = m;
  const huge = m.tables.huge(candidate.vma.mm.pgd, candidate.vpn);
  if (huge !== 0 && kindOf(m.tables.entries[huge]) === PRESENT) {
    // Only a page that has an equal is worth a split.
    const page = pfnOf(m.tables.entries[huge]) + (candidate.vpn & (ENTRIES - 1));
    const contents = mem.version[page];
    if (!ksm.byContents.has(contents) && !unstable.has(contents)) {
      unstable.set(contents, candidate);
      return false;
    }
    if (!(yield* splitMapped(m, pfnOf(m.tables.entries[huge]) as number as Folio))) return false;
  }
  const page = pageOfCandidate(m, candidate);
  if (page === null) return false;
  const contents = mem.version[page];
  if ((mem.flags[page] & KSM) !== 0) {
    yield* addItem(m, page, candidate);
    return false;
  }
  let stable = ksm.byContents.get(contents);
  if (stable === undefined) {
    const other = unstable.get(contents);
    const equal = other === undefined ? null : yield* smallPage(m, other);
    if (equal === null || equal === page || mem.version[equal] !== contents || other === undefined) {
      unstable.set(contents, candidate);
      return false;
    }
    if ((mem.flags[equal] & KSM) === 0 && !(yield* makeKsmPage(m, equal, other))) return false;
    unstable.delete(contents);
    stable = equal;
  }
  return yield* replacePage(m, candidate, stable);
}

/** The page of a candidate as a folio of its own: a large one is split for it. */
function* smallPage(m: Machine, candidate: Candidate): Op<Pfn | null> {
  const huge = m.tables.huge(candidate.vma.mm.pgd, candidate.vpn);
  if (huge !== 0 && kindOf(m.tables.entries[huge]) === PRESENT) {
    if (!(yield* splitMapped(m, pfnOf(m.tables.entries[huge]) as number as Folio))) return null;
  }
  const page = pageOfCandidate(m, candidate);
  if (page !== null && isLarge(m.mem, page) && !(yield* splitMapped(m, m.mem.folioOf(page)))) return null;
  return page;
}

/** Write-protects a page, unless others refer to it than page tables (write_protect_page). Under the folio lock. */
function* protect(m: Machine, { vma, vpn }: Candidate, page: Pfn): Op<boolean> {
  const { mem, tables } = m;
  const leaf = tables.leaf(vma.mm.pgd, vpn);
  const at = leaf * ENTRIES + (vpn & (ENTRIES - 1));
  yield* m.ptl.lock(leaf);
  const same = kindOf(tables.entries[at]) === PRESENT && pfnOf(tables.entries[at]) === page;
  const cached = (mem.flags[page] & SWAPCACHE) !== 0 ? 1 : 0;
  const alone = mem.refcount[page] === totalMapcount(mem, page as number as Folio) + cached;
  if (same && alone) {
    mem.flags[page] &= ~EXCLUSIVE;
    tables.entries[at] &= ~(WRITE | DIRTY);
  }
  m.ptl.unlock(leaf);
  return same && alone;
}

/** Makes a page the one that stands for its contents; its anchor is given up (try_to_merge_one_page with no other page, stable_tree_insert). */
function* makeKsmPage(m: Machine, page: Pfn, candidate: Candidate): Op<boolean> {
  const { mem, ksm } = m;
  const folio = page as number as Folio;
  if ((mem.flags[page] & SWAPCACHE) !== 0 || !m.folioLock.tryLock(folio)) return false;
  const done = yield* protect(m, candidate, page);
  if (done) {
    if (m.ksmByAnchors) {
      const work = m.rmap.drop?.(folio);
      if (work) yield* work;
      mem.anchor[page] = 0;
    }
    mem.flags[page] |= KSM;
    ksm.stable.set(page, []);
    // write_protect_page allows it, and a child's pin does not lead to its parent.
    if (totalMapcount(mem, folio) > 1) ksm.sharedBefore.add(page);
    ksm.byContents.set(mem.version[page], page);
  }
  m.folioLock.unlock(folio);
  if (done) yield* addItem(m, page, candidate);
  return done;
}

/** Maps the KSM page in place of the candidate's own (replace_page). */
function* replacePage(m: Machine, candidate: Candidate, stable: Pfn): Op<boolean> {
  const { mem, tables } = m;
  const { vma, vpn } = candidate;
  const page = yield* smallPage(m, candidate);
  if (page === null || page === stable || (mem.flags[page] & (KSM | SWAPCACHE)) !== 0) return false;
  if (m.rmap.reserve) {
    const work = m.rmap.reserve(1);
    if (work) yield* work;
  }
  if (!m.folioLock.tryLock(page as number as Folio)) return false;
  const done = yield* protect(m, candidate, page);
  if (done) {
    const leaf = tables.leaf(vma.mm.pgd, vpn);
    const at = leaf * ENTRIES + (vpn & (ENTRIES - 1));
    yield* m.ptl.lock(leaf);
    if (m.rmap.unmapped) {
      const work = m.rmap.unmapped(m.span.ofPage(vma, addressOf(vpn), page));
      if (work) yield* work;
    }
    if (m.rmap.mapping) {
      const work = m.rmap.mapping(m.span.ofPage(vma, addressOf(vpn), stable), 'new', null);
      if (work) yield* work;
    }
    if (m.sync.stepping) yield { kind: 'pte', object: vma.mm, label: 'KSM' };
    mem.mapcount[stable]++;
    mem.refcount[stable]++;
    mem.mapcount[page]--;
    tables.entries[at] = makePte(PRESENT, stable, YOUNG);
    m.ptl.unlock(leaf);
  }
  m.folioLock.unlock(page as number as Folio);
  if (!done) return false;
  yield* putPage(m, page);
  yield* addItem(m, stable, candidate);
  return true;
}

/** Remembers one more place of a KSM page, with the reverse map of its VMA pinned (stable_tree_append). */
function* addItem(m: Machine, page: Pfn, { vma, vpn }: Candidate): Op<void> {
  const items = m.ksm.stable.get(page) as RmapItem[];
  const address = addressOf(vpn);
  if (!m.ksmByAnchors || items.some((item) => item.mmId === vma.mm.id && item.address === address)) return;
  const answer = m.rmap.holdVma(vma, 'pin');
  items.push({ mm: vma.mm, mmId: vma.mm.id, address, hold: typeof answer === 'number' ? answer : yield* answer });
}

/** Lets go of the pins of pages that are gone. */
function* dropStale(m: Machine): Op<void> {
  for (let item = m.ksm.stale.pop(); item !== undefined; item = m.ksm.stale.pop()) {
    const work = m.rmap.release(item.hold);
    if (work) yield* work;
  }
}

/** Gives every KSM page in [start, end) of `vma` back as a private copy, read-only and exclusive (break_ksm: a fault that unshares). @throws NoMemory, what was done stays */
export function* breakKsm(m: Machine, vma: VmArea, start: Address, end: Address): Op<void> {
  const { tables, mem } = m;
  const { pgd } = vma.mm;
  const last = pageOf(end);
  for (let vpn = tables.nextLeaf(pgd, pageOf(start), last); vpn < last; vpn = tables.nextLeaf(pgd, (vpn + 1) as Vpn, last)) {
    const leaf = tables.leaf(pgd, vpn);
    const at = leaf * ENTRIES + (vpn & (ENTRIES - 1));
    if (leaf === 0 || kindOf(tables.entries[at]) !== PRESENT || (mem.flags[pfnOf(tables.entries[at])] & KSM) === 0) continue;
    yield* copyWriteProtected(m, vma, addressOf(vpn), leaf);
    tables.entries[at] &= ~(WRITE | DIRTY);
  }
}
