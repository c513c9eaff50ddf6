import { putPage } from '../folio/free.js';
import { addPte, isLarge } from '../folio/mapcount.js';
import {
  ANON,
  KSM,
  MLOCKED,
  DIRTY as PAGE_DIRTY,
  EXCLUSIVE as PAGE_EXCLUSIVE,
  PMD_ORDER,
  SWAPBACKED,
  SWAPCACHE,
} from '../folio/mem-map.js';
import { mlockVmaFolio } from '../folio/mlock.js';
import type { Machine } from '../machine.js';
import { ENTRIES, type Table } from '../page-table/page-table.js';
import { DIRTY, EXCLUSIVE, makePte, PRESENT, type Pte, payloadOf, WRITE, YOUNG } from '../page-table/pte.js';
import { sameEntry } from '../page-table/same-entry.js';
import { addToSwapCache, freeSwap, freeSwapEntry } from '../reclaim/swap.js';
import type { Op } from '../sync/op.js';
import { type Address, type Folio, PAGE_SIZE, type Pfn, pageOf } from '../units.js';
import { VM_LOCKED, VM_UFFD_MISSING, VM_WRITE } from '../vma/vm-flags.js';
import type { VmArea } from '../vma/vma.js';
import { mapNewPage, reserveOne } from './anonymous.js';
import type { FaultOutcome } from './prepare.js';
import { allowableOrders, MIN_LARGE_ORDER, suitableStart } from './thp.js';

/**
 * A touch of a page that was swapped out (do_swap_page): from the swap cache, or read back. A slot that one entry alone names
 * bypasses the swap cache, as on a synchronous device; then the page is exclusive at once. What is in one folio, or can be read into one,
 * comes as a whole. A write that may not go ahead afterwards is a write-protection fault of its own. `retry`: somebody has the folio
 * locked, and `waits` is false. @throws NoMemory
 */
export function* swapIn(
  m: Machine,
  vma: VmArea,
  address: Address,
  leaf: Table,
  seen: Pte,
  write: boolean,
  waits = true,
): Op<FaultOutcome> {
  const { mem, swap, tables } = m;
  const at = leaf * ENTRIES + (pageOf(address) & (ENTRIES - 1));
  const slot = payloadOf(seen);
  yield* reserveOne(m);
  const cached = swap.cache.get(slot);
  if (cached === undefined && swap.counts[slot] <= 1) return yield* bypassSwapCache(m, vma, address, leaf, seen, write);
  const page = cached ?? readIn(m, slot);
  const folio = mem.folioOf(page);
  if (cached !== undefined) mem.refcount[folio]++; // a page read in has its first reference, which is ours
  try {
    if (!m.folioLock.tryLock(folio)) {
      if (!waits) return 'retry';
      yield* m.folioLock.lock(folio);
    }
    try {
      if (tables.entries[at] !== seen || swap.cache.get(slot) !== page) return 'done';
      if (!fitsAsItIs(m, vma, address, page)) {
        const bits = (vma.flags & VM_WRITE) === 0 ? YOUNG : write ? YOUNG | WRITE | DIRTY : YOUNG | WRITE;
        return yield* mapCopy(m, vma, address, leaf, at, seen, page, bits);
      }
      yield* m.ptl.lock(leaf);
      if (sameEntry(m, vma.mm, pageOf(address), leaf, seen)) {
        const one = { page, pages: 1, address, at };
        yield* mapSwappedIn(m, vma, wholeFolio(m, vma, address, at, page) ?? one, write);
      }
      m.ptl.unlock(leaf);
    } finally {
      m.folioLock.unlock(folio);
    }
  } finally {
    yield* putPage(m, folio as number as Pfn);
  }
  return 'done';
}

/** Whether `vma` may map a page of the swap cache itself, rather than a copy (ksm_might_need_to_copy): nobody mapped it yet, it is KSM's, or walks will come there. */
export function fitsAsItIs(m: Machine, vma: VmArea, address: Address, page: Pfn): boolean {
  const { mem } = m;
  const folio = mem.folioOf(page);
  if ((mem.flags[folio] & (ANON | KSM)) !== ANON) return true;
  return mem.index[folio] + (page - folio) === vma.anonIndex(address) && m.rmap.reaches(folio, vma);
}

/** Reads a page, or all around it that one folio can hold, past the swap cache; the slots are out of bounds meanwhile (swapcache_prepare). @throws NoMemory */
function* bypassSwapCache(m: Machine, vma: VmArea, address: Address, leaf: Table, seen: Pte, write: boolean): Op<FaultOutcome> {
  const { mem, swap } = m;
  const at = leaf * ENTRIES + (pageOf(address) & (ENTRIES - 1));
  const order = yield* orderToRead(m, vma, address, at, seen);
  const folio = order === 0 ? (mem.alloc() as number as Folio) : allocSwapFolio(m, vma, order);
  const pages = mem.pages(folio);
  const page = (folio + (pageOf(address) & (pages - 1))) as Pfn;
  const slot = payloadOf(seen) - (page - folio);
  if (!swap.startReading(slot, pages)) {
    yield* putPage(m, folio as number as Pfn);
    if (m.sync.stepping)
      yield { kind: 'wait', object: swap, label: `swap slot ${slot}`, enabled: () => !swap.isRead(payloadOf(seen)) };
    return 'done';
  }
  try {
    m.folioLock.tryLock(folio);
    for (let i = 0; i < pages; i++) mem.version[folio + i] = swap.versions[slot + i];
    mem.flags[folio] |= SWAPBACKED;
    yield* m.ptl.lock(leaf);
    if (sameEntry(m, vma.mm, pageOf(address), leaf, seen)) {
      const whole = wholeFolio(m, vma, address, at, page);
      if (whole !== null) yield* mapSwappedIn(m, vma, whole, write);
    }
    m.ptl.unlock(leaf);
    m.folioLock.unlock(folio);
  } finally {
    swap.stopReading(slot, pages);
    yield* putPage(m, folio as number as Pfn);
  }
  return 'done';
}

/** The largest order below PMD size of which everything around `address` is in neighbouring slots, as one folio left it, and nothing in the swap cache (alloc_swap_folio). @throws NoMemory */
function* orderToRead(m: Machine, vma: VmArea, address: Address, at: number, seen: Pte): Op<number> {
  const orders = (vma.flags & VM_UFFD_MISSING) !== 0 ? 0 : allowableOrders(m, vma);
  const fits = (order: number): boolean => {
    const pages = 1 << order;
    const before = pageOf(address) & (pages - 1);
    const slot = payloadOf(seen) - before;
    if (slot % pages !== 0 || suitableStart(vma, address, order) === null) return false;
    return followOneAnother(m, at - before, pages, (seen - (before << 8)) | 0) && m.swap.isApart(slot, pages);
  };
  for (let order = PMD_ORDER - 1; orders !== 0 && order >= MIN_LARGE_ORDER; order--) {
    if ((orders & (1 << order)) === 0 || !fits(order)) continue;
    const work = m.rmap.reserve?.(1 << order);
    if (work) yield* work;
    return fits(order) ? order : 0;
  }
  return 0;
}

/** A folio of `order`, or of the next smaller one that `vma` may have and that there is memory for. @throws NoMemory */
function allocSwapFolio(m: Machine, vma: VmArea, order: number): Folio {
  const orders = allowableOrders(m, vma);
  for (let smaller = order; smaller >= MIN_LARGE_ORDER; smaller--) {
    const folio = (orders & (1 << smaller)) !== 0 ? m.mem.allocLarge(smaller) : null;
    if (folio !== null) return folio;
  }
  return m.mem.alloc() as number as Folio;
}

/** Whether the entries from `first` on name neighbouring slots, with the same bits, beginning with those of `pte` (swap_pte_batch). */
function followOneAnother({ tables: { entries } }: Machine, first: number, pages: number, pte: Pte): boolean {
  for (let i = 0; i < pages; i++) if (entries[first + i] !== ((pte + (i << 8)) | 0)) return false;
  return true;
}

/** Neighbouring pages of a folio, and the entries that are to map them. */
interface Landing {
  readonly page: Pfn;
  readonly pages: number;
  readonly address: Address;
  readonly at: number;
}

/** All of the folio of `page`, which is at `address`; null: not all of it is there. */
function wholeFolio(m: Machine, vma: VmArea, address: Address, at: number, page: Pfn): Landing | null {
  const { mem, tables } = m;
  const folio = mem.folioOf(page);
  const pages = mem.pages(folio);
  const before = page - folio;
  const first = at - before;
  const start = (address - before * PAGE_SIZE) as Address;
  const oneTable = before <= at % ENTRIES && (first % ENTRIES) + pages <= ENTRIES;
  if (!oneTable || start < vma.start || start + pages * PAGE_SIZE > vma.end) return null;
  if (!followOneAnother(m, first, pages, (tables.entries[at] - (before << 8)) | 0)) return null;
  return { page: folio as number as Pfn, pages, address: start, at: first };
}

/** A fresh page with the slot's contents, in the swap cache: several entries name the slot, or nobody needs it yet. @throws NoMemory */
export function readIn(m: Machine, slot: number): Pfn {
  const { mem, swap } = m;
  const page = mem.alloc();
  mem.version[page] = swap.versions[slot];
  mem.flags[page] = SWAPBACKED;
  addToSwapCache(m, page as number as Folio, slot);
  return page;
}

/** Stores the entries, under PTL and folio lock; the swap entries go. */
function* mapSwappedIn(m: Machine, vma: VmArea, { page, pages, address, at }: Landing, write: boolean): Op<void> {
  const { mem, tables, swap } = m;
  const folio = mem.folioOf(page);
  const seen = tables.entries[at];
  const bypassed = (mem.flags[folio] & SWAPCACHE) === 0;
  const exclusiveEntry = bypassed || (seen & EXCLUSIVE) !== 0;
  for (let i = 0; i < pages; i++) swap.counts[payloadOf(seen) + i]--;
  const mine = mem.refcount[folio] === 1 + mem.pages(folio);
  const locked = (vma.flags & VM_LOCKED) !== 0 || (mem.flags[folio] & MLOCKED) !== 0;
  if (!bypassed && (swap.full || locked || (write && (mem.flags[folio] & KSM) === 0 && mine))) freeSwap(m, folio);
  const exclusive = (mem.flags[folio] & KSM) === 0 && (exclusiveEntry || mem.refcount[folio] === 1);
  const writable = exclusive && (vma.flags & VM_WRITE) !== 0 ? WRITE : 0;
  mem.refcount[folio] += pages;
  for (let i = 0; i < pages; i++) yield* addAnonRmap(m, vma, (address + i * PAGE_SIZE) as Address, (page + i) as Pfn, exclusive);
  if (m.sync.stepping) yield { kind: 'pte', object: vma.mm, label: `swap in page ${pageOf(address)}` };
  const bits = YOUNG | writable | (writable !== 0 && write ? DIRTY : 0);
  const entries = tables.writeRange(at, pages);
  for (let i = 0; i < pages; i++) entries[at + i] = makePte(PRESENT, page + i, bits);
}

/** Counts the mapping; a page that was read in becomes anonymous, an exclusive one here, else wherever its entries may be (folio_add_new_anon_rmap, folio_add_anon_rmap_pte). */
export function* addAnonRmap(m: Machine, vma: VmArea, address: Address, page: Pfn, exclusive: boolean): Op<void> {
  const { mem } = m;
  const folio = mem.folioOf(page);
  if ((mem.flags[folio] & ANON) !== 0) {
    if (!isLarge(mem, page)) mlockVmaFolio(m, folio, vma);
  } else {
    for (let i = 0; i < mem.pages(folio); i++) mem.flags[folio + i] |= ANON;
    mem.index[folio] = vma.anonIndex(address);
    const work = m.rmap.anchor(folio, vma, exclusive ? 'new' : 'new-shared');
    if (work) yield* work;
  }
  if (exclusive) mem.flags[page] |= PAGE_EXCLUSIVE;
  if (isLarge(mem, page)) addPte(mem, page, vma.mm.id);
  else mem.mapcount[page]++;
  if (m.rmap.mapping) {
    const work = m.rmap.mapping(m.span.ofPage(vma, address, page), 'new', null);
    if (work) yield* work;
  }
}

/** Maps a private copy by an entry with `bits`, because walks from the folio's anchor would not come to `vma` (ksm_might_need_to_copy). @throws NoMemory */
export function* mapCopy(
  m: Machine,
  vma: VmArea,
  address: Address,
  leaf: Table,
  at: number,
  seen: Pte,
  page: Pfn,
  bits: number,
): Op<FaultOutcome> {
  const { mem, tables } = m;
  const copy = mem.alloc();
  mem.version[copy] = mem.version[page];
  yield* m.ptl.lock(leaf);
  const same = sameEntry(m, vma.mm, pageOf(address), leaf, seen);
  if (same) {
    yield* mapNewPage(m, vma, address, copy, at);
    tables.write(at)[at] = makePte(PRESENT, copy, bits);
    mem.flags[copy] |= PAGE_DIRTY;
  }
  m.ptl.unlock(leaf);
  if (same) yield* freeSwapEntry(m, payloadOf(seen));
  else yield* putPage(m, copy);
  return 'done';
}
