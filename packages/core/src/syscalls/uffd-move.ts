import { KernelError } from '../errors.js';
import { waitForMigration } from '../fault/migration.js';
import { putPage } from '../folio/free.js';
import { isLarge, totalMapcount } from '../folio/mapcount.js';
import { ANON, KSM, EXCLUSIVE as PAGE_EXCLUSIVE } from '../folio/mem-map.js';
import { splitMapped } from '../folio/split.js';
import type { Machine } from '../machine.js';
import { ENTRIES, PAGES_PER_LEAF } from '../page-table/page-table.js';
import {
  DIRTY,
  EXCLUSIVE,
  kindOf,
  MIGRATION,
  makePte,
  NONE,
  PRESENT,
  type Pte,
  payloadOf,
  pfnOf,
  SWAP,
  WRITE,
  YOUNG,
  ZERO,
} from '../page-table/pte.js';
import { splitPmd } from '../page-table/split-pmd.js';
import { BUSY, GONE } from '../rmap/contract.js';
import type { Op } from '../sync/op.js';
import { addressOf, type Folio, type Pfn, type Vpn } from '../units.js';
import type { VmArea } from '../vma/vma.js';

/** From where to where one step goes: pages of two VMAs of an address space. */
export interface Place {
  readonly src: VmArea;
  readonly dst: VmArea;
  readonly from: Vpn;
  readonly to: Vpn;
}

type Errno = 'EINVAL' | 'ENOENT' | 'EEXIST' | 'EBUSY' | 'EFAULT';
export const refuse = (errno: Errno, reason: string): KernelError => new KernelError(errno, 'UFFDIO_MOVE', reason);

/**
 * Moves one page, or a PMD entry with all that it maps if at most `left` pages are that many and both places are aligned; how many pages
 * (the loop of move_pages). An entry that changes meanwhile is looked at again.
 */
export function* moveNext(m: Machine, place: Place, left: number, allowHoles: boolean): Op<number> {
  const { tables } = m;
  const { src, from, to } = place;
  const { mm } = src;
  for (;;) {
    mm.forgetShortcuts();
    if (tables.pmd(mm.pgd, from) === 0) return hole(from, allowHoles);
    tables.allocPmd(mm.pgd, to);
    if (tables.huge(mm.pgd, to) !== 0) throw refuse('EEXIST', `a folio is at 0x${addressOf(to).toString(16)}`);
    const huge = tables.huge(mm.pgd, from);
    if (huge === 0) {
      if (tables.leaf(mm.pgd, from) === 0) return hole(from, allowHoles);
      yield* reserve(m, 1);
      tables.allocLeaf(mm.pgd, to);
      if (yield* movePte(m, place, allowHoles)) return 1;
      continue;
    }
    const pmd = tables.entries[huge];
    const whole = left >= PAGES_PER_LEAF && from % PAGES_PER_LEAF === 0 && to % PAGES_PER_LEAF === 0;
    if (kindOf(pmd) === PRESENT && !isExclusive(m, pfnOf(pmd))) throw refuse('EBUSY', 'the folio is shared');
    if (!whole || tables.leaf(mm.pgd, to) !== 0) yield* splitPmd(m, src, from);
    else if (kindOf(pmd) === MIGRATION) yield* waitForMigration(m, src, pfnOf(pmd));
    else if (yield* movePmd(m, place, pmd)) return PAGES_PER_LEAF;
  }
}

function hole(from: Vpn, allowed: boolean): 1 {
  if (!allowed) throw refuse('ENOENT', `no page at 0x${addressOf(from).toString(16)}`);
  return 1;
}

/** Memory for the entries of `pages` pages. @throws NoMemory */
function* reserve(m: Machine, pages: number): Op<void> {
  const work = m.rmap.reserve?.(pages);
  if (work) yield* work;
}

const isExclusive = ({ mem }: Machine, page: Pfn | Folio): boolean => (mem.flags[page] & PAGE_EXCLUSIVE) !== 0;

/** One PTE (move_pages_ptes); false: look again. */
function* movePte(m: Machine, place: Place, allowHoles: boolean): Op<boolean> {
  const { mem, tables } = m;
  const { src, from, to } = place;
  const entryAt = (vpn: Vpn): Pte => tables.entries[tables.leaf(src.mm.pgd, vpn) * ENTRIES + (vpn & (ENTRIES - 1))];
  const pte = entryAt(from);
  if (entryAt(to) !== NONE) throw refuse('EEXIST', `a page is at 0x${addressOf(to).toString(16)}`);
  switch (kindOf(pte)) {
    case NONE:
      return hole(from, allowHoles) === 1;
    case ZERO:
      return yield* storePte(m, place, pte, pte, null);
    case SWAP: {
      if ((pte & EXCLUSIVE) === 0) throw refuse('EBUSY', 'a swapped-out page is shared');
      const cached = m.swap.cache.get(payloadOf(pte));
      if (cached === undefined) return yield* storePte(m, place, pte, pte, null);
      if (isLarge(mem, cached)) throw refuse('EBUSY', 'the swap cache has the page with others in one folio');
      const folio = cached as number as Folio;
      return yield* withFolio(m, folio, () => storePte(m, place, pte, pte, folio));
    }
    case MIGRATION:
      yield* waitForMigration(m, src, pfnOf(pte));
      return false;
    case PRESENT:
      return yield* movePage(m, place, pte);
    default:
      throw refuse('EFAULT', `a guard page at 0x${addressOf(from).toString(16)}`);
  }
}

/** A present page. Of a large folio the first page says whether it is shared, before it is split for the move. */
function* movePage(m: Machine, place: Place, pte: Pte): Op<boolean> {
  const { mem } = m;
  const page = pfnOf(pte);
  const folio = mem.folioOf(page);
  if ((mem.flags[folio] & (ANON | KSM)) !== ANON || !isExclusive(m, folio)) throw refuse('EBUSY', 'the page is shared');
  if (isLarge(mem, folio)) {
    if (!(yield* splitMapped(m, folio))) throw refuse('EBUSY', 'the folio can not be split now');
    return false;
  }
  const stored = makePte(PRESENT, page, WRITE | YOUNG | (pte & DIRTY));
  return yield* withFolio(m, folio, () => storePte(m, place, pte, stored, folio));
}

/** A PMD entry of a folio, or of the huge zero page (move_pages_huge_pmd); false: look again. */
function* movePmd(m: Machine, place: Place, pmd: Pte): Op<boolean> {
  if (kindOf(pmd) === ZERO) return yield* storePmd(m, place, pmd, null);
  yield* reserve(m, PAGES_PER_LEAF);
  const folio = pfnOf(pmd) as number as Folio;
  return yield* withFolio(m, folio, () => storePmd(m, place, pmd, folio));
}

/** Moves under the folio's lock and with all walks of it kept out; false: look again. */
function* withFolio(m: Machine, folio: Folio, move: () => Op<boolean>): Op<boolean> {
  const { mem } = m;
  mem.refcount[folio]++;
  if (!m.folioLock.tryLock(folio)) yield* m.folioLock.lock(folio);
  try {
    // A page that was only read ahead has no reverse map yet; one that only the swap cache knows has no walk to keep out.
    const answer = (mem.flags[folio] & ANON) === 0 ? GONE : m.rmap.hold(folio, 'write', true);
    const hold = typeof answer === 'number' ? answer : yield* answer;
    if (hold === BUSY) throw refuse('EBUSY', 'the reverse map is in use');
    if (hold === GONE) return totalMapcount(mem, folio) === 0 && (yield* move());
    try {
      return yield* move();
    } finally {
      const work = m.rmap.release(hold);
      if (work) yield* work;
    }
  } finally {
    m.folioLock.unlock(folio);
    yield* putPage(m, folio as number as Pfn);
  }
}

/** Moves an entry, and the folio that it maps or that caches it, unless something changed (move_present_ptes, move_swap_pte, move_zeropage_pte). */
function* storePte(m: Machine, place: Place, seen: Pte, stored: Pte, folio: Folio | null): Op<boolean> {
  const { tables } = m;
  const { src, dst, from, to } = place;
  const source = tables.leaf(src.mm.pgd, from);
  const target = tables.leaf(src.mm.pgd, to);
  const at = source * ENTRIES + (from & (ENTRIES - 1));
  const into = target * ENTRIES + (to & (ENTRIES - 1));
  yield* lockBoth(m, source, target);
  const same =
    tables.leaf(src.mm.pgd, from) === source &&
    tables.leaf(src.mm.pgd, to) === target &&
    tables.entries[at] === seen &&
    tables.entries[into] === NONE &&
    (kindOf(seen) !== SWAP || (m.swap.cache.get(payloadOf(seen)) ?? null) === (folio as Pfn | null));
  if (same) {
    if (m.rmap.mapping && kindOf(seen) === PRESENT) {
      const span = m.fromSpan.ofPage(src, addressOf(from), pfnOf(seen));
      const work = m.rmap.mapping(m.span.ofPage(dst, addressOf(to), pfnOf(seen)), 'move', span);
      if (work) yield* work;
    }
    if (m.sync.stepping) yield { kind: 'pte', object: dst.mm, label: 'UFFDIO_MOVE' };
    tables.write(at)[at] = NONE;
    if (folio !== null) yield* rehome(m, folio, dst, to);
    tables.write(into)[into] = stored;
  }
  unlockBoth(m, source, target);
  return same;
}

/** The same for a PMD entry, with the table put by for it. */
function* storePmd(m: Machine, { src, dst, from, to }: Place, seen: Pte, folio: Folio | null): Op<boolean> {
  const { tables } = m;
  const { pgd } = src.mm;
  const at = tables.pmdSlot(pgd, from);
  const into = tables.pmdSlot(pgd, to);
  const [source, target] = [Math.floor(at / ENTRIES), Math.floor(into / ENTRIES)];
  yield* lockBoth(m, source, target);
  const same = tables.entries[at] === seen && tables.entries[into] === NONE;
  if (same) {
    if (m.rmap.mapping && folio !== null) {
      const span = m.fromSpan.ofPmd(src, addressOf(from), pfnOf(seen));
      const work = m.rmap.mapping(m.span.ofPmd(dst, addressOf(to), -1), 'move', span);
      if (work) yield* work;
    }
    if (m.sync.stepping) yield { kind: 'pte', object: dst.mm, label: 'UFFDIO_MOVE' };
    tables.movePmd(pgd, from, to);
    if (folio !== null) {
      yield* rehome(m, folio, dst, to);
      tables.writePmd(into)[into] = makePte(PRESENT, folio, WRITE | YOUNG | DIRTY);
    }
  }
  unlockBoth(m, source, target);
  return same;
}

/** The folio is of `dst` now; one that was only read ahead becomes anonymous by that (folio_move_anon_rmap). */
function* rehome(m: Machine, folio: Folio, dst: VmArea, to: Vpn): Op<void> {
  const { mem } = m;
  const event = (mem.flags[folio] & ANON) !== 0 ? 'rehome' : 'new';
  mem.flags[folio] |= ANON;
  const work = m.rmap.anchor(folio, dst, event);
  if (work) yield* work;
  mem.index[folio] = dst.anonIndex(addressOf(to));
}

function* lockBoth(m: Machine, source: number, target: number): Op<void> {
  yield* m.ptl.lock(Math.min(source, target));
  if (source !== target) yield* m.ptl.lock(Math.max(source, target));
}

function unlockBoth(m: Machine, source: number, target: number): void {
  if (source !== target) m.ptl.unlock(Math.max(source, target));
  m.ptl.unlock(Math.min(source, target));
}
