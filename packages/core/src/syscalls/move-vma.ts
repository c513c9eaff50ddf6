import { KernelError, NoMemory } from '../errors.js';
import type { Machine } from '../machine.js';
import { startWrite } from '../mm/vma-lock.js';
import { moveOrRollBack } from '../page-table/move.js';
import { breakKsm } from '../reclaim/ksm-break.js';
import type { Op } from '../sync/op.js';
import { type Address, PAGE_SIZE, type Pgoff, pageOf } from '../units.js';
import { dupVma, freeVma, setRange } from '../vma/alloc.js';
import { cloneRmap, unlinkRmap } from '../vma/link.js';
import { mergeNewRange } from '../vma/merge.js';
import { VM_LOCKED, VM_MERGEABLE } from '../vma/vm-flags.js';
import type { VmArea } from '../vma/vma.js';
import { MREMAP_DONTUNMAP } from './flags.js';
import type { Remap } from './mremap.js';
import { munmapLocked } from './munmap.js';

/**
 * Moves a part or all of `vma` to a free place: copies the VMA, lets the entries travel, unmaps the source (move_vma).
 * @throws ENOMEM; then the entries are back where they were
 */
export function* moveVma(m: Machine, vma: VmArea, remap: Remap): Op<Address> {
  const { mm } = vma;
  if (mm.mapCount >= m.options.maxMapCount - 3)
    throw new KernelError('ENOMEM', 'mremap', 'too close to the VMA limit (max_map_count)');
  yield* startWrite(m, vma);
  if ((vma.flags & VM_MERGEABLE) !== 0) yield* breakKsm(m, vma, remap.at, (remap.at + remap.oldLength) as Address);
  const copy = yield* copyVma(m, vma, remap);
  // A VMA that was never touched may merge with its own copy.
  const source = mm.tree.lookup(remap.at) as VmArea;
  const bytes = remap.oldLength;
  const range = {
    why: 'mremap',
    from: source,
    to: copy.vma,
    merged: copy.merged,
    fromStart: remap.at,
    toStart: remap.to,
    bytes,
  } as const;
  if (!(yield* moveOrRollBack(m, range))) {
    yield* unmapAccounted(m, copy.vma, remap.to, remap.newLength);
    throw new NoMemory('mremap');
  }
  if ((remap.flags & MREMAP_DONTUNMAP) !== 0) yield* keepSource(m, source, copy.vma, remap);
  else if (bytes > 0) yield* unmapAccounted(m, source, remap.at, bytes);
  return remap.to;
}

/** MREMAP_DONTUNMAP: the source stays, empty. */
function* keepSource(m: Machine, from: VmArea, to: VmArea, { at, oldLength }: Remap): Op<void> {
  from.flags &= ~VM_LOCKED;
  if (from !== to && from.start === at && from.end === at + oldLength) yield* unlinkRmap(m, from);
}

/** The VMA that will hold the moved memory: a neighbour of the destination, or a copy of `vma` (copy_vma). @throws NoMemory */
function* copyVma(m: Machine, vma: VmArea, { at, newLength, to }: Remap): Op<{ vma: VmArea; merged: boolean }> {
  const { mm } = vma;
  const offset = (at - vma.start) / PAGE_SIZE;
  const end = (to + newLength) as Address;
  // Memory that was never touched has no page that knows its offset, so it takes the offset of its new place.
  const fresh = !vma.faulted;
  const pgoff = (fresh && vma.anonymous ? pageOf(to) : vma.pgoff + offset) as Pgoff;
  const reset = fresh && (vma.anonymous || m.options.anonOffset === 'own');
  const anonPgoff = (reset ? pageOf(to) : vma.anonPgoff + offset) as Pgoff;
  const next = mm.tree.find(to);
  const prev = next === null ? mm.tree.last() : mm.tree.prev(next);
  const range = { mm, prev, next, start: to, end, pgoff, anonPgoff, flags: vma.flags, file: vma.file };
  const merged = yield* mergeNewRange(m, range, vma, 'moved');
  if (merged !== null) return { vma: merged, merged: true };
  const copy = yield* dupVma(m, mm, vma);
  setRange(copy, to, end, pgoff, anonPgoff);
  try {
    yield* cloneRmap(m, copy, vma, 'move');
  } catch (error) {
    freeVma(m, copy);
    throw error;
  }
  yield* startWrite(m, copy);
  if (copy.file !== null) m.iMmapLock.writes++;
  mm.tree.insert(copy);
  copy.attached = true;
  mm.mapCount++;
  return { vma: copy, merged: false };
}

/** Unmaps the emptied source. Like the kernel, it gives up quietly when a split runs out of memory: the VMA stays, empty (unmap_source_vma). */
function* unmapAccounted(m: Machine, vma: VmArea, at: Address, bytes: number): Op<void> {
  try {
    yield* munmapLocked(m, vma.mm, at, bytes);
  } catch (error) {
    if (!(error instanceof KernelError)) throw error;
  }
}
