import { KernelError } from '../errors.js';
import { prepareFault } from '../fault/prepare.js';
import { isLarge } from '../folio/mapcount.js';
import { ANON, FILE, KSM, EXCLUSIVE as PAGE_EXCLUSIVE, SWAPCACHE } from '../folio/mem-map.js';
import { splitMapped } from '../folio/split.js';
import type { Machine } from '../machine.js';
import type { Mm } from '../mm/mm.js';
import { ENTRIES } from '../page-table/page-table.js';
import {
  DIRTY,
  EXCLUSIVE,
  GUARD,
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
  ZERO,
} from '../page-table/pte.js';
import { splitPmd } from '../page-table/split-pmd.js';
import { BUSY, GONE } from '../rmap/contract.js';
import type { Op } from '../sync/op.js';
import { type Address, addressOf, type Folio, PAGE_SIZE, pageOf, type Vpn } from '../units.js';
import { VM_ACCESS_FLAGS, VM_LOCKED, VM_SPECIAL, VM_WRITE } from '../vma/vm-flags.js';
import type { VmArea } from '../vma/vma.js';
import { validateRange } from './uffd-register.js';

type Errno = 'EINVAL' | 'ENOENT' | 'EEXIST' | 'EBUSY' | 'EFAULT';
const refuse = (errno: Errno, reason: string): KernelError => new KernelError(errno, 'UFFDIO_MOVE', reason);

/** What UFFDIO_MOVE takes. */
export interface UffdMove {
  readonly to: Address;
  readonly from: Address;
  readonly length: number;
  /** Pass over pages that are not there (UFFDIO_MOVE_MODE_ALLOW_SRC_HOLES). */
  readonly allowHoles?: boolean;
}

/**
 * UFFDIO_MOVE: moves pages between two places of an address space without copying; how many bytes arrived before the first
 * page that could not. @throws, when none did, EINVAL: ranges or memory that don't fit; ENOENT: nothing is mapped there, or a
 * hole; EEXIST: the destination has a page; EBUSY: a page is shared or in use; ENOMEM
 */
export function* uffdMove(m: Machine, mm: Mm, { to, from, length, allowHoles = false }: UffdMove): Op<number> {
  validateRange('UFFDIO_MOVE', to, length);
  validateRange('UFFDIO_MOVE', from, length);
  yield* mm.mmapLock.read();
  try {
    const dst = mm.tree.lookup(to);
    if (dst === null) throw refuse('ENOENT', `nothing is mapped at 0x${to.toString(16)}`);
    if (!dst.shared) yield* prepareFault(m, dst, true);
    const src = mm.tree.lookup(from);
    if (src === null) throw refuse('ENOENT', `nothing is mapped at 0x${from.toString(16)}`);
    checkAreas(src, dst, from, to, length);
    for (let done = 0; done < length; ) {
      try {
        yield* movePage(m, dst, src, pageOf((to + done) as Address), pageOf((from + done) as Address), allowHoles);
        done += PAGE_SIZE;
      } catch (error) {
        if (done === 0 || !(error instanceof KernelError)) throw error;
        return done;
      }
    }
    return length;
  } finally {
    mm.mmapLock.readUnlock();
  }
}

/** validate_move_areas; that the destination is registered with a userfaultfd is not asked for. */
function checkAreas(src: VmArea, dst: VmArea, from: Address, to: Address, length: number): void {
  if (src.shared || dst.shared || from + length > src.end || to + length > dst.end)
    throw refuse('EINVAL', 'both ranges must lie in one private VMA each');
  if (((src.flags ^ dst.flags) & (VM_ACCESS_FLAGS | VM_LOCKED)) !== 0) throw refuse('EINVAL', 'access or locking differ');
  if ((src.flags & VM_WRITE) === 0) throw refuse('EINVAL', 'not writable');
  if (((src.flags | dst.flags) & VM_SPECIAL) !== 0 || !src.anonymous || !dst.anonymous)
    throw refuse('EINVAL', 'only anonymous memory can be moved');
}

function* movePage(m: Machine, dst: VmArea, src: VmArea, to: Vpn, from: Vpn, allowHoles: boolean): Op<void> {
  const { mem, tables } = m;
  const { mm } = dst;
  if (tables.huge(mm.pgd, from) !== 0) yield* splitPmd(m, src, from);
  if (tables.huge(mm.pgd, to) !== 0) throw refuse('EEXIST', 'the destination has memory');
  mm.forgetShortcuts();
  const source = tables.leaf(mm.pgd, from);
  if (source === 0) {
    if (allowHoles) return;
    throw refuse('ENOENT', `no page at 0x${addressOf(from).toString(16)}`);
  }
  if (m.rmap.reserve) {
    const work = m.rmap.reserve(1);
    if (work) yield* work;
  }
  const target = tables.allocLeaf(mm.pgd, to);
  for (;;) {
    const at = source * ENTRIES + (from & (ENTRIES - 1));
    const into = target * ENTRIES + (to & (ENTRIES - 1));
    const pte = tables.entries[at];
    if (tables.entries[into] !== NONE) throw refuse('EEXIST', `a page is at 0x${addressOf(to).toString(16)}`);
    if (pte === NONE) {
      if (allowHoles) return;
      throw refuse('ENOENT', `no page at 0x${addressOf(from).toString(16)}`);
    }
    if (kindOf(pte) === ZERO) {
      yield* store(m, source, target, at, into, pte, makePte(ZERO, 0, 0));
      return;
    }
    if (kindOf(pte) === SWAP) {
      if ((pte & EXCLUSIVE) === 0) throw refuse('EBUSY', 'a swapped-out page is shared');
      const cached = m.swap.cache.get(payloadOf(pte));
      if (cached === undefined) yield* store(m, source, target, at, into, pte, pte);
      else yield* moveFolio(m, dst, src, to, from, mem.folioOf(cached), pte, pte);
      return;
    }
    if (kindOf(pte) === GUARD) throw refuse('EFAULT', `a guard page at 0x${addressOf(from).toString(16)}`);
    if (kindOf(pte) !== PRESENT || kindOf(pte) === MIGRATION) throw refuse('EBUSY', 'the page is on its way elsewhere');
    const page = pfnOf(pte);
    if ((mem.flags[page] & (ANON | FILE | KSM)) !== ANON || (mem.flags[page] & PAGE_EXCLUSIVE) === 0)
      throw refuse('EBUSY', 'the page is shared');
    if (isLarge(mem, page)) {
      if (!(yield* splitMapped(m, mem.folioOf(page)))) throw refuse('EBUSY', 'the folio can not be split now');
      continue;
    }
    yield* moveFolio(m, dst, src, to, from, page as number as Folio, pte, makePte(PRESENT, page, WRITE | (pte & DIRTY)));
    return;
  }
}

/** Takes the folio along: under its lock, and with all walks of it kept out, anchor and index become those of the destination (move_present_pte). */
function* moveFolio(m: Machine, dst: VmArea, src: VmArea, to: Vpn, from: Vpn, folio: Folio, seen: Pte, stored: Pte): Op<void> {
  const { mem, tables } = m;
  const { pgd } = dst.mm;
  if (isLarge(mem, folio) || !m.folioLock.tryLock(folio)) throw refuse('EBUSY', 'somebody has the folio');
  mem.refcount[folio]++;
  try {
    const answer = m.rmap.hold(folio, 'write', true);
    const hold = typeof answer === 'number' ? answer : yield* answer;
    // A page that only the swap cache knows has no walk to keep out.
    if (hold === BUSY || (hold === GONE && kindOf(seen) === PRESENT)) throw refuse('EBUSY', 'the reverse map is in use');
    const source = tables.leaf(pgd, from);
    const target = tables.leaf(pgd, to);
    const at = source * ENTRIES + (from & (ENTRIES - 1));
    const into = target * ENTRIES + (to & (ENTRIES - 1));
    const alone = mem.refcount[folio] === 1 + mem.mapcount[folio] + ((mem.flags[folio] & SWAPCACHE) !== 0 ? 1 : 0);
    try {
      if (!alone || tables.entries[at] !== seen || tables.entries[into] !== NONE)
        throw refuse('EBUSY', 'somebody else refers to the page');
      yield* lockBoth(m, source, target);
      if (m.rmap.mapping && kindOf(seen) === PRESENT) {
        const span = m.fromSpan.ofPage(src, addressOf(from), pfnOf(seen));
        const work = m.rmap.mapping(m.span.ofPage(dst, addressOf(to), pfnOf(seen)), 'move', span);
        if (work) yield* work;
      }
      if (m.sync.stepping) yield { kind: 'pte', object: dst.mm, label: 'UFFDIO_MOVE' };
      tables.write(at)[at] = NONE;
      const work = m.rmap.anchor(folio, dst, 'rehome');
      if (work) yield* work;
      mem.index[folio] = dst.anonIndex(addressOf(to));
      tables.write(into)[into] = stored;
      unlockBoth(m, source, target);
    } finally {
      if (hold !== GONE) {
        const work = m.rmap.release(hold);
        if (work) yield* work;
      }
    }
  } finally {
    m.folioLock.unlock(folio);
    mem.refcount[folio]--;
  }
}

/** Moves an entry that no folio knows of. */
function* store(m: Machine, source: number, target: number, at: number, into: number, seen: Pte, stored: Pte): Op<void> {
  yield* lockBoth(m, source, target);
  const { entries } = m.tables;
  const same = entries[at] === seen && entries[into] === NONE;
  if (same) {
    m.tables.write(at)[at] = NONE;
    m.tables.write(into)[into] = stored;
  }
  unlockBoth(m, source, target);
  if (!same) throw refuse('EBUSY', 'the entry changed meanwhile');
}

function* lockBoth(m: Machine, source: number, target: number): Op<void> {
  yield* m.ptl.lock(Math.min(source, target));
  if (source !== target) yield* m.ptl.lock(Math.max(source, target));
}

function unlockBoth(m: Machine, source: number, target: number): void {
  if (source !== target) m.ptl.unlock(Math.max(source, target));
  m.ptl.unlock(Math.min(source, target));
}
