import { SegmentationFault } from '../errors.js';
import type { Machine } from '../machine.js';
import type { Mm } from '../mm/mm.js';
import { readUnlock, tryReadLock } from '../mm/vma-lock.js';
import { ENTRIES } from '../page-table/page-table.js';
import { DIRTY, GUARD, kindOf, MIGRATION, NONE, PRESENT, type Pte, pfnOf, SWAP, WRITE, YOUNG, ZERO } from '../page-table/pte.js';
import type { Op } from '../sync/op.js';
import { type Address, alignDown, pageOf } from '../units.js';
import { VM_ACCESS_FLAGS, VM_WRITE } from '../vma/vm-flags.js';
import type { VmArea } from '../vma/vma.js';
import { anonymousPage } from './anonymous.js';
import { filePage } from './file-private.js';
import { hugeAnonymous, hugeTouch } from './huge.js';
import { waitForMigration } from './migration.js';
import type { FaultOutcome } from './prepare.js';
import { growStack } from './stack.js';
import { swapIn } from './swap-in.js';
import { writeProtected } from './wp.js';

/**
 * One load or store at `address`, with every page fault it takes (handle_mm_fault until the access succeeds). With `stores` false
 * a write makes the page ready for a store and leaves its contents as they are (faultin_page). @throws SegmentationFault, NoMemory
 */
export function* touch(m: Machine, mm: Mm, address: Address, write: boolean, stores = write): Op<void> {
  let underMmapLock = false;
  for (;;) {
    const vma = underMmapLock ? yield* findUnderMmapLock(m, mm, address, write) : lockVma(m, mm, address);
    if (vma === null) {
      underMmapLock = true;
      continue;
    }
    let outcome: FaultOutcome | 'present';
    try {
      outcome = yield* faultOnce(m, vma, alignDown(address) as Address, write, underMmapLock, stores);
    } finally {
      if (underMmapLock) mm.mmapLock.readUnlock();
      else readUnlock(m, vma);
    }
    if (outcome === 'present') return;
    if (outcome === 'retry') underMmapLock = true;
  }
}

/** Makes a page of `vma` ready for a store, by somebody who holds mmap_lock. @throws SegmentationFault, NoMemory */
export function* touchLocked(m: Machine, vma: VmArea, address: Address): Op<void> {
  while ((yield* faultOnce(m, vma, address, true, true, false)) !== 'present');
}

/** The VMA at `address`, read-locked, or null when it takes mmap_lock to go on (lock_vma_under_rcu). */
function lockVma(m: Machine, mm: Mm, address: Address): VmArea | null {
  const vma = mm.tree.lookup(address);
  return vma !== null && tryReadLock(m, vma) ? vma : null;
}

/** The VMA at `address` with mmap_lock held for reading; a stack may grow down to it. @throws SegmentationFault */
function* findUnderMmapLock(m: Machine, mm: Mm, address: Address, write: boolean): Op<VmArea | null> {
  yield* mm.mmapLock.read();
  const vma = mm.tree.find(address);
  if (vma !== null && vma.start <= address) return vma;
  mm.mmapLock.readUnlock();
  yield* mm.mmapLock.write();
  try {
    if (!(yield* growStack(m, mm, address))) {
      throw noVma(mm, address, write);
    }
  } finally {
    mm.writeUnlock();
  }
  return null;
}

/** Nothing is mapped at `address`. */
export const noVma = (mm: Mm, address: Address, write: boolean): SegmentationFault =>
  new SegmentationFault('SIGSEGV', write ? 'write' : 'read', address, () => `no VMA maps it in address space ${mm.id}`);

/** @throws SegmentationFault */
export function checkAccess(vma: VmArea, address: Address, write: boolean): void {
  const needed = write ? VM_WRITE : VM_ACCESS_FLAGS;
  if ((vma.flags & needed) !== 0) return;
  throw new SegmentationFault('SIGSEGV', write ? 'write' : 'read', address, () => `${vma} does not allow it`);
}

/** Looks at the entry and lets the right kind of fault mend it; 'present' when the access can go ahead. */
function* faultOnce(
  m: Machine,
  vma: VmArea,
  address: Address,
  write: boolean,
  underMmapLock: boolean,
  stores: boolean,
): Op<FaultOutcome | 'present'> {
  checkAccess(vma, address, write);
  const vpn = pageOf(address);
  const huge = m.tables.huge(vma.mm.pgd, vpn);
  if (huge !== 0) return yield* hugeTouch(m, vma, address, huge, write, underMmapLock, stores);
  const leaf = m.tables.leaf(vma.mm.pgd, vpn);
  if (leaf === 0) {
    const outcome = yield* hugeAnonymous(m, vma, address, write, underMmapLock);
    if (outcome !== 'fallback') return outcome;
  }
  const at = leaf * ENTRIES + (vpn & (ENTRIES - 1));
  const pte: Pte = leaf === 0 ? NONE : m.tables.entries[at];
  switch (kindOf(pte)) {
    case NONE:
      if (vma.file === null) return yield* anonymousPage(m, vma, address, write, underMmapLock);
      return yield* filePage(m, vma, address, write, underMmapLock);
    case SWAP:
      return yield* swapIn(m, vma, address, leaf, pte, write);
    case MIGRATION:
      return yield* waitForMigration(m, vma, pfnOf(pte));
    case GUARD:
      throw new SegmentationFault('SIGSEGV', write ? 'write' : 'read', address, `a guard page of ${vma}`);
    case PRESENT:
    case ZERO:
      if (write && (pte & WRITE) === 0) return yield* writeProtected(m, vma, address, leaf, underMmapLock);
      access(m, at, write, stores);
      return 'present';
    default:
      throw new Error(`entry kind ${kindOf(pte)} at 0x${address.toString(16)} has no fault handler`);
  }
}

/** The load or store itself: the processor's accessed and dirty bits, and new contents. */
function access(m: Machine, at: number, write: boolean, stores: boolean): void {
  const entries = m.tables.write(at);
  const pte = entries[at];
  if (!write) {
    entries[at] = pte | YOUNG;
    return;
  }
  entries[at] = pte | YOUNG | DIRTY;
  if (stores) m.mem.version[pfnOf(pte)] = ++m.writes;
}
