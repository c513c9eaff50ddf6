import { unmapLargePte } from '../folio/deferred-split.js';
import { putPage } from '../folio/free.js';
import { totalMapcount } from '../folio/mapcount.js';
import { ANON, EXCLUSIVE, FILE, KSM, LARGE, MAYBE_SHARED, SWAPCACHE, ZERO_PFN } from '../folio/mem-map.js';
import { munlockVmaFolio } from '../folio/mlock.js';
import type { Machine } from '../machine.js';
import { freeUnmapped } from '../page-table/free-gathered.js';
import { ENTRIES, type Table } from '../page-table/page-table.js';
import { DIRTY, kindOf, NONE, PRESENT, type Pte, pfnOf, WRITE, ZERO } from '../page-table/pte.js';
import { sameEntry } from '../page-table/same-entry.js';
import { freeSwap } from '../reclaim/swap.js';
import type { Op } from '../sync/op.js';
import { type Address, type Folio, type Pfn, pageOf } from '../units.js';
import type { VmArea } from '../vma/vma.js';
import { mapNewPage, reserveOne } from './anonymous.js';
import { type FaultOutcome, prepareFault } from './prepare.js';

/** A write to a page that is mapped read-only: use it again, or copy it (do_wp_page). @throws NoMemory */
export function* writeProtected(
  m: Machine,
  vma: VmArea,
  address: Address,
  leaf: Table,
  underMmapLock: boolean,
): Op<FaultOutcome> {
  const at = leaf * ENTRIES + (pageOf(address) & (ENTRIES - 1));
  yield* m.ptl.lock(leaf);
  const pte = vma.mm.leaf(pageOf(address)) === leaf ? m.tables.entries[at] : NONE;
  const zero = kindOf(pte) === ZERO;
  if (!zero && kindOf(pte) !== PRESENT) {
    m.ptl.unlock(leaf); // gone, swapped out or on its way elsewhere meanwhile: look again
    return 'done';
  }
  if (!zero && (vma.shared || mayWrite(m, pfnOf(pte)) || (yield* reuse(m, vma, pfnOf(pte))))) {
    m.tables.write(at)[at] = pte | WRITE;
    m.ptl.unlock(leaf);
    return 'done';
  }
  const old = zero ? ZERO_PFN : pfnOf(pte);
  if (!zero) m.mem.refcount[m.mem.folioOf(old)]++; // keeps the page while the lock is dropped to allocate
  m.ptl.unlock(leaf);
  try {
    return yield* copyPage(m, vma, address, leaf, at, pte, old, underMmapLock);
  } finally {
    if (!zero) yield* putPage(m, m.mem.folioOf(old) as number as Pfn);
  }
}

/** Gives `vma` a copy of the page at `address`, read-only, unless its entry changes meanwhile; under mmap_lock (wp_page_copy of FAULT_FLAG_UNSHARE). @throws NoMemory */
export function* copyWriteProtected(m: Machine, vma: VmArea, address: Address, leaf: Table): Op<void> {
  const at = leaf * ENTRIES + (pageOf(address) & (ENTRIES - 1));
  const pte = m.tables.entries[at];
  const old = pfnOf(pte);
  m.mem.refcount[old]++;
  try {
    yield* copyPage(m, vma, address, leaf, at, pte, old, true, true);
  } finally {
    yield* putPage(m, old);
  }
}

/** Anonymous and exclusive: nobody else can see a write. */
export const mayWrite = (m: Machine, pfn: Pfn): boolean => (m.mem.flags[pfn] & (ANON | EXCLUSIVE)) === (ANON | EXCLUSIVE);

/** Small, anonymous, not KSM's, and referred to by this entry alone, and by the swap cache. */
export function isOnlyUser({ mem: { flags, refcount } }: Machine, pfn: Pfn): boolean {
  const cached = (flags[pfn] & SWAPCACHE) !== 0 ? 1 : 0;
  return (flags[pfn] & (ANON | KSM)) === ANON && refcount[pfn] <= 1 + cached;
}

/** Whether this entry is the only user left; then the page becomes exclusive to `vma` (wp_can_reuse_anon_folio). */
function* reuse(m: Machine, vma: VmArea, pfn: Pfn): Op<boolean> {
  const { mem } = m;
  if ((mem.flags[pfn] & LARGE) !== 0) return reuseOfLarge(m, pfn);
  const folio = pfn as number as Folio;
  if (!isOnlyUser(m, pfn) || !m.folioLock.tryLock(folio)) return false;
  if (!freeSwap(m, folio)) {
    m.folioLock.unlock(folio);
    return false;
  }
  if (m.sync.stepping) yield { kind: 'pte', object: vma.mm, label: `reuse folio ${folio}` };
  const work = m.rmap.anchor(folio, vma, 'reuse');
  if (work) yield* work;
  mem.flags[pfn] |= EXCLUSIVE;
  m.folioLock.unlock(folio);
  return true;
}

/** A page of a large folio that only this address space maps; the folio's anchor stays (__wp_can_reuse_large_anon_folio). */
function reuseOfLarge(m: Machine, pfn: Pfn): boolean {
  const { mem } = m;
  const folio = mem.folioOf(pfn);
  const mappings = totalMapcount(mem, folio);
  if (mappings <= 1 || (mem.flags[folio] & (KSM | MAYBE_SHARED)) !== 0 || mappings > mem.pages(folio)) return false;
  if ((mem.flags[folio] & SWAPCACHE) !== 0 && !tryFreeSwap(m, folio)) return false;
  if (mem.refcount[folio] !== mappings || mem.mapcount[pfn] !== 1) return false;
  mem.flags[pfn] |= EXCLUSIVE;
  return true;
}

/** folio_free_swap under a lock that may be somebody else's. */
function tryFreeSwap(m: Machine, folio: Folio): boolean {
  if (!m.folioLock.tryLock(folio)) return false;
  const freed = freeSwap(m, folio);
  m.folioLock.unlock(folio);
  return freed;
}

/** Gives `vma` a copy of `old` in its place, unless the entry changed meanwhile (wp_page_copy). */
function* copyPage(
  m: Machine,
  vma: VmArea,
  address: Address,
  leaf: Table,
  at: number,
  seen: Pte,
  old: Pfn,
  underMmapLock: boolean,
  unshare = false,
): Op<FaultOutcome> {
  if (!(yield* prepareFault(m, vma, underMmapLock))) return 'retry';
  yield* reserveOne(m);
  const copy = m.mem.alloc();
  m.mem.version[copy] = m.mem.version[old];
  yield* m.ptl.lock(leaf);
  if (!sameEntry(m, vma.mm, pageOf(address), leaf, seen)) {
    m.ptl.unlock(leaf);
    yield* putPage(m, copy);
    return 'done';
  }
  yield* mapNewPage(m, vma, address, copy, at);
  if (unshare) m.tables.write(at)[at] &= ~(WRITE | DIRTY);
  if (old !== ZERO_PFN) yield* removeMapping(m, vma, address, old);
  m.ptl.unlock(leaf);
  if (old !== ZERO_PFN) yield* freeUnmapped(m, m.mem.folioOf(old) as number as Pfn);
  return 'done';
}

/** One entry less maps `old`; its reference is dropped later, after the lock (folio_remove_rmap_pte). */
function* removeMapping(m: Machine, vma: VmArea, address: Address, old: Pfn): Op<void> {
  if ((m.mem.flags[old] & LARGE) === 0) m.mem.mapcount[old]--;
  else unmapLargePte(m, old, vma.mm.id);
  munlockVmaFolio(m, m.mem.folioOf(old), vma);
  if (m.rmap.unmapped === undefined || (m.mem.flags[old] & FILE) !== 0) return;
  const work = m.rmap.unmapped(m.span.ofPage(vma, address, old));
  if (work) yield* work;
}
