import { NoMemory } from '../errors.js';
import { putPage } from '../folio/free.js';
import { isLarge, totalMapcount } from '../folio/mapcount.js';
import { ANON, EXCLUSIVE, KSM, DIRTY as PAGE_DIRTY, SWAPCACHE } from '../folio/mem-map.js';
import { mlockVmaFolio, munlockVmaFolio } from '../folio/mlock.js';
import { splitMapped } from '../folio/split.js';
import type { Machine } from '../machine.js';
import type { Mm } from '../mm/mm.js';
import { ENTRIES } from '../page-table/page-table.js';
import { DIRTY, kindOf, makePte, PRESENT, pfnOf, WRITE, YOUNG } from '../page-table/pte.js';
import type { Op } from '../sync/op.js';
import { type Address, addressOf, type Folio, PAGE_SIZE, type Pfn, pageOf, type Vpn } from '../units.js';
import { VM_MERGEABLE } from '../vma/vm-flags.js';
import type { VmArea } from '../vma/vma.js';
import { breakKsm, dropStale, forgetItems, mayMerge } from './ksm-break.js';
import type { RmapItem } from './ksm-state.js';
import { freeSwap } from './swap.js';

/** Where a page may be merged; by the time one comes back to it, it may be gone (ksm_rmap_item). */
interface Place {
  readonly mm: Mm;
  readonly mmId: number;
  readonly vpn: Vpn;
}

/** What a pass has met and not merged. */
interface Met {
  /** The first page of each contents (the unstable tree). */
  readonly unstable: Map<number, Place>;
  /** Further places of such a page: it was forked. */
  readonly again: Place[];
}

/**
 * Looks through all memory marked MADV_MERGEABLE until no more becomes one: pages of equal contents do (ksm_do_scan, pass after pass). How
 * many pages were merged.
 */
export function* ksmScan(m: Machine): Op<number> {
  yield* dropStale(m);
  m.ksm.scans++;
  const met: Met = { unstable: new Map(), again: [] };
  let merged = 0;
  for (const [mmId, mm] of [...m.ksm.mms]) {
    for (let vpn = yield* nextPlace(m, mm, mmId, 0 as Vpn); vpn !== null; vpn = yield* nextPlace(m, mm, mmId, (vpn + 1) as Vpn))
      if (yield* mergePage(m, { mm, mmId, vpn }, met)) merged++;
    if (![...mm.tree].some(({ flags }) => (flags & VM_MERGEABLE) !== 0)) m.ksm.mms.delete(mmId);
  }
  for (const place of met.again.splice(0)) if (yield* mergePage(m, place, met)) merged++;
  for (const page of [...m.ksm.stable.keys()]) yield* forgetItems(m, page);
  yield* dropStale(m);
  return merged;
}

/** The next page from `vpn` on that has a page table, in memory that may be merged (scan_get_next_rmap_item). */
function* nextPlace(m: Machine, mm: Mm, mmId: number, vpn: Vpn): Op<Vpn | null> {
  if (m.mms.get(mmId) !== mm) return null;
  yield* mm.mmapLock.read();
  try {
    if (m.mms.get(mmId) !== mm) return null;
    for (let vma = mm.tree.find(addressOf(vpn)); vma !== null; vma = mm.tree.find(vma.end)) {
      if (!mayMerge(vma)) continue;
      const last = pageOf(vma.end);
      const next = m.tables.nextLeaf(mm.pgd, Math.max(vpn, pageOf(vma.start)) as Vpn, last);
      if (next < last) return next;
    }
    return null;
  } finally {
    mm.mmapLock.readUnlock();
  }
}

/** What `work` answers about the VMA of a place, held still; null: it may not be merged any more (find_mergeable_vma). */
function* withVma<T>(m: Machine, { mm, mmId, vpn }: Place, work: (vma: VmArea) => Op<T | null>): Op<T | null> {
  if (m.mms.get(mmId) !== mm) return null;
  yield* mm.mmapLock.read();
  try {
    const vma = m.mms.get(mmId) === mm ? mm.tree.lookup(addressOf(vpn)) : null;
    return vma !== null && mayMerge(vma) ? yield* work(vma) : null;
  } finally {
    mm.mmapLock.readUnlock();
  }
}

/** The present anonymous page at a place, or null; it may go at once. */
function pageAt({ tables, mem }: Machine, vma: VmArea, vpn: Vpn): Pfn | null {
  const huge = tables.huge(vma.mm.pgd, vpn);
  const leaf = tables.leaf(vma.mm.pgd, vpn);
  const entry = huge !== 0 ? tables.entries[huge] : leaf === 0 ? 0 : tables.entries[leaf * ENTRIES + (vpn & (ENTRIES - 1))];
  if (kindOf(entry) !== PRESENT) return null;
  const page = huge !== 0 ? ((pfnOf(entry) + (vpn & (ENTRIES - 1))) as Pfn) : pfnOf(entry);
  return (mem.flags[mem.folioOf(page)] & ANON) !== 0 ? page : null;
}

/** The page at a place as a folio of its own, referenced: a large one is split for it. */
function* getSmallPage(m: Machine, vma: VmArea, vpn: Vpn): Op<Pfn | null> {
  const { mem, tables } = m;
  let page = pageAt(m, vma, vpn);
  if (page !== null && isLarge(mem, page)) {
    if (!(yield* splitMapped(m, mem.folioOf(page)))) return null;
  }
  const leaf = tables.leaf(vma.mm.pgd, vpn);
  if (leaf === 0) return null;
  yield* m.ptl.lock(leaf);
  page = pageAt(m, vma, vpn);
  if (page !== null && isLarge(mem, page)) page = null;
  if (page !== null) mem.refcount[page]++;
  m.ptl.unlock(leaf);
  return page;
}

/** cmp_and_merge_page: into a page of KSM, or together with a page met earlier in this pass. */
function* mergePage(m: Machine, place: Place, { unstable, again }: Met): Op<boolean> {
  const { mem, ksm } = m;
  const page = yield* withVma(m, place, (vma) => look(m, vma, place.vpn));
  if (page === null) return false;
  const contents = mem.version[page];
  const stable = ksm.byContents.get(contents);
  // A page that was given back as far as KSM may, and is still mapped, takes in no more (is_page_sharing_candidate).
  if (stable !== undefined && (!m.ksmByAnchors || ksm.stable.get(stable)?.length !== 0)) {
    mem.refcount[stable]++;
    const merged = yield* withVma(m, place, (vma) => replacePage(m, vma, place.vpn, stable));
    yield* putPage(m, stable);
    return merged === true;
  }
  const other = unstable.get(contents);
  const equal = other === undefined ? null : yield* withVma(m, other, (vma) => peek(m, vma, other.vpn));
  if (other === undefined || equal === null || mem.version[equal] !== contents) {
    unstable.set(contents, place);
    return false;
  }
  // A page that was forked is no pair. Once another one joins in, the next pass merges all of its places.
  if (equal === page) again.push(place);
  if (equal === page || !(yield* mergeTwo(m, place, other, contents))) return false;
  unstable.delete(contents);
  return true;
}

/** The page met last becomes the one of KSM, and takes the place of the one met before (try_to_merge_two_pages). */
function* mergeTwo(m: Machine, place: Place, other: Place, contents: number): Op<boolean> {
  const stable = yield* withVma(m, place, (vma) => makeKsmPage(m, vma, place.vpn, contents));
  if (stable === null) return false;
  const merged = yield* withVma(m, other, (vma) => replacePage(m, vma, other.vpn, stable));
  const address = addressOf(place.vpn);
  try {
    // A page of KSM with one entry only is of no use (break_cow).
    if (merged !== true) yield* withVma(m, place, (vma) => breakKsm(m, vma, address, (address + PAGE_SIZE) as Address));
  } finally {
    yield* putPage(m, stable);
  }
  return merged === true;
}

function* peek(m: Machine, vma: VmArea, vpn: Vpn): Op<Pfn | null> {
  return pageAt(m, vma, vpn);
}

/** The page to merge at a place. One of KSM has an item there afterwards, and is none. */
function* look(m: Machine, vma: VmArea, vpn: Vpn): Op<Pfn | null> {
  const { mem } = m;
  const page = pageAt(m, vma, vpn);
  if (page === null || (mem.flags[page] & KSM) === 0) return page;
  mem.refcount[page]++;
  yield* addItem(m, page, vma, vpn);
  yield* putPage(m, page);
  return null;
}

/** Write-protects a page, unless others refer to it than page tables and the caller (write_protect_page). Under the folio lock. */
function* protect(m: Machine, { mm }: VmArea, vpn: Vpn, page: Pfn): Op<boolean> {
  const { mem, tables } = m;
  const leaf = tables.leaf(mm.pgd, vpn);
  if (leaf === 0) return false;
  const at = leaf * ENTRIES + (vpn & (ENTRIES - 1));
  yield* m.ptl.lock(leaf);
  const same = kindOf(tables.entries[at]) === PRESENT && pfnOf(tables.entries[at]) === page;
  const cached = (mem.flags[page] & SWAPCACHE) !== 0 ? 1 : 0;
  const alone = mem.refcount[page] === totalMapcount(mem, page as number as Folio) + cached + 1;
  if (same && alone) {
    mem.flags[page] &= ~EXCLUSIVE;
    if ((tables.entries[at] & DIRTY) !== 0) mem.flags[page] |= PAGE_DIRTY;
    tables.write(at)[at] &= ~(WRITE | DIRTY);
  }
  m.ptl.unlock(leaf);
  return same && alone;
}

/**
 * Makes the page at a place the one that stands for its contents, unless it has others by now; its anchor is given up
 * (try_to_merge_one_page with no other page, stable_tree_insert). The page, referenced.
 */
function* makeKsmPage(m: Machine, vma: VmArea, vpn: Vpn, contents: number): Op<Pfn | null> {
  const { mem, ksm } = m;
  const page = yield* getSmallPage(m, vma, vpn);
  if (page === null) return null;
  const folio = page as number as Folio;
  const fits = mem.version[page] === contents && (mem.flags[page] & KSM) === 0;
  if (!fits || !m.folioLock.tryLock(folio)) {
    yield* putPage(m, page);
    return null;
  }
  const done = (yield* protect(m, vma, vpn, page)) && mem.version[page] === contents;
  if (done) {
    if (m.ksmByAnchors) {
      const work = m.rmap.drop?.(folio);
      if (work) yield* work;
      mem.anchor[page] = 0;
    }
    mem.flags[page] |= KSM | PAGE_DIRTY;
    ksm.stable.set(page, []);
    // write_protect_page allows it, and a child's pin does not lead to its parent, which may have the page in swap.
    if (totalMapcount(mem, folio) > 1 || (mem.flags[page] & SWAPCACHE) !== 0) ksm.sharedBefore.add(page);
    ksm.byContents.set(contents, page);
  }
  m.folioLock.unlock(folio);
  if (done) {
    yield* addItem(m, page, vma, vpn);
    return page;
  }
  yield* putPage(m, page);
  return null;
}

/** Maps the KSM page in place of the one at a place, if that has the same contents (replace_page). */
function* replacePage(m: Machine, vma: VmArea, vpn: Vpn, stable: Pfn): Op<boolean> {
  const { mem } = m;
  const page = yield* getSmallPage(m, vma, vpn);
  if (page === null) return false;
  const fits = page !== stable && (mem.flags[page] & KSM) === 0;
  const done = fits && (yield* replaceLocked(m, vma, vpn, page, stable));
  yield* putPage(m, page);
  if (!done) return false;
  // An item of this place may be of a VMA that was there before, and pins what does not lead here.
  yield* forgetItems(m, stable, ({ mmId, address }) => mmId === vma.mm.id && address === addressOf(vpn));
  yield* addItem(m, stable, vma, vpn);
  return true;
}

/** Memory for one entry; without it the two pages stay apart, until the next pass. */
function* reserveOrNot(m: Machine): Op<boolean> {
  try {
    const work = m.rmap.reserve?.(1);
    if (work) yield* work;
    return true;
  } catch (error) {
    if (error instanceof NoMemory) return false;
    throw error;
  }
}

function* replaceLocked(m: Machine, vma: VmArea, vpn: Vpn, page: Pfn, stable: Pfn): Op<boolean> {
  const { mem, tables } = m;
  if (!(yield* reserveOrNot(m)) || !m.folioLock.tryLock(page as number as Folio)) return false;
  let done = (yield* protect(m, vma, vpn, page)) && mem.version[page] === mem.version[stable];
  if (done) {
    const leaf = tables.leaf(vma.mm.pgd, vpn);
    const at = leaf * ENTRIES + (vpn & (ENTRIES - 1));
    yield* m.ptl.lock(leaf);
    // The entry may have gone since it was write-protected.
    done = kindOf(tables.entries[at]) === PRESENT && pfnOf(tables.entries[at]) === page && (tables.entries[at] & WRITE) === 0;
    if (done) yield* replaceEntry(m, vma, vpn, at, page, stable);
    if (done && totalMapcount(mem, page as number as Folio) === 0) freeSwap(m, page as number as Folio);
    m.ptl.unlock(leaf);
  }
  m.folioLock.unlock(page as number as Folio);
  if (done) yield* putPage(m, page);
  return done;
}

function* replaceEntry(m: Machine, vma: VmArea, vpn: Vpn, at: number, page: Pfn, stable: Pfn): Op<void> {
  const { mem, tables } = m;
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
  mlockVmaFolio(m, stable as number as Folio, vma);
  mem.mapcount[page]--;
  munlockVmaFolio(m, page as number as Folio, vma);
  tables.write(at)[at] = makePte(PRESENT, stable, YOUNG);
}

/** Remembers one more place of a KSM page, with the reverse map of its VMA pinned (stable_tree_append). */
function* addItem(m: Machine, page: Pfn, vma: VmArea, vpn: Vpn): Op<void> {
  const items = m.ksm.stable.get(page) as RmapItem[];
  const address = addressOf(vpn);
  if (!m.ksmByAnchors) return;
  const scan = m.ksm.scans;
  const item = items.find((each) => each.mmId === vma.mm.id && each.address === address);
  if (item !== undefined) {
    item.scan = scan;
    return;
  }
  const answer = m.rmap.holdVma(vma, 'pin');
  const hold = typeof answer === 'number' ? answer : yield* answer;
  items.push({ mm: vma.mm, mmId: vma.mm.id, address, hold, scan });
}
