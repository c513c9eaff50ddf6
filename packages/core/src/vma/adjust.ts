import type { Machine } from '../machine.js';
import type { Mm } from '../mm/mm.js';
import { startWrite } from '../mm/vma-lock.js';
import { PMD_SIZE } from '../page-table/page-table.js';
import { splitPmd } from '../page-table/split-pmd.js';
import type { VmaAdjust } from '../rmap/contract.js';
import { finish, type Op, READY } from '../sync/op.js';
import { type Address, PAGE_SIZE, type Pgoff, pageOf } from '../units.js';
import { freeVma, setRange } from './alloc.js';
import { unlinkRmap } from './link.js';
import type { VmArea } from './vma.js';

/** New range of one VMA; its file offset moves with its anonymous offset. */
export interface Change {
  readonly vma: VmArea;
  readonly start: Address;
  readonly end: Address;
  readonly anonPgoff: Pgoff;
}

/** `vma` with another start: the offsets move along, so that every page keeps its own. */
export const withStart = (vma: VmArea, start: Address, end: Address): Change => ({
  vma,
  start,
  end,
  anonPgoff: (vma.anonPgoff + (start - vma.start) / PAGE_SIZE) as Pgoff,
});

/**
 * Changes ranges of VMAs in one go, as vma_prepare .. vma_complete do: under the strategy's lock if it wants one; VMAs
 * that a merge swallows are unlinked and freed afterwards. @throws NoMemory from the strategy, before anything changed
 */
export function adjustVmas(
  m: Machine,
  mm: Mm,
  changes: readonly Change[],
  inserted: VmArea | null,
  removed: readonly VmArea[],
): Op<void> {
  const change: VmaAdjust = { changes, inserted, removed, apply: () => apply(m, mm, changes, inserted, removed) };
  if (m.sync.stepping) return adjustStepping(m, change);
  for (const { vma } of changes) finish(prepareChange(m, vma));
  for (const vma of removed) finish(startWrite(m, vma));
  if (inserted !== null) finish(startWrite(m, inserted));
  finish(m.rmap.adjust === undefined ? change.apply() : m.rmap.adjust(change));
  for (const vma of removed) {
    finish(unlinkRmap(m, vma));
    freeVma(m, vma);
  }
  return READY;
}

/** The same, giving way to others. */
function* adjustStepping(m: Machine, change: VmaAdjust): Op<void> {
  const removed = change.removed as readonly VmArea[];
  for (const { vma } of change.changes) yield* prepareChange(m, vma as VmArea);
  for (const vma of removed) yield* startWrite(m, vma);
  if (change.inserted !== null) yield* startWrite(m, change.inserted as VmArea);
  yield* m.rmap.adjust === undefined ? change.apply() : m.rmap.adjust(change);
  for (const vma of removed) {
    yield* unlinkRmap(m, vma);
    freeVma(m, vma);
  }
}

function prepareChange(m: Machine, vma: VmArea): Op<void> {
  if (vma.file !== null) m.iMmapLock.writes++;
  return startWrite(m, vma);
}

function apply(m: Machine, mm: Mm, changes: readonly Change[], inserted: VmArea | null, removed: readonly VmArea[]): Op<void> {
  if (m.sync.stepping || changes.some((change) => splitsPmd(m, change))) return applyWaiting(m, mm, changes, inserted, removed);
  mm.lastVma = null;
  takeOut(mm, removed);
  for (const change of changes) if (shrinks(change)) resize(m, mm, change);
  for (const change of changes) if (!shrinks(change)) resize(m, mm, change);
  putIn(mm, inserted);
  return READY;
}

function* applyWaiting(
  m: Machine,
  mm: Mm,
  changes: readonly Change[],
  inserted: VmArea | null,
  removed: readonly VmArea[],
): Op<void> {
  if (m.sync.stepping) yield { kind: 'store', object: mm, label: 'mm_mt' };
  mm.lastVma = null;
  for (const { vma, start, end } of changes) {
    if (mayStraddle(vma, start)) yield* splitPmd(m, vma, pageOf(start));
    if (mayStraddle(vma, end)) yield* splitPmd(m, vma, pageOf(end));
  }
  takeOut(mm, removed);
  // Shrink before growing: a VMA may grow only into what another has left.
  for (const change of changes) if (shrinks(change)) yield* resize(m, mm, change);
  for (const change of changes) if (!shrinks(change)) yield* resize(m, mm, change);
  putIn(mm, inserted);
}

function takeOut(mm: Mm, removed: readonly VmArea[]): void {
  for (const vma of removed) {
    mm.tree.remove(vma);
    vma.attached = false;
    mm.mapCount--;
  }
}

function putIn(mm: Mm, inserted: VmArea | null): void {
  if (inserted === null) return;
  mm.tree.insert(inserted);
  inserted.attached = true;
  mm.mapCount++;
}

/** No PMD entry may straddle an edge of a VMA (vma_adjust_trans_huge); only where one is possible is it looked for. */
const mayStraddle = (vma: VmArea, edge: Address): boolean =>
  edge > vma.start && edge < vma.end && (edge & (PMD_SIZE - 1)) !== 0 && vma.mm.leaf(pageOf(edge)) === 0;

const splitsPmd = (m: Machine, { vma, start, end }: Change): boolean => straddles(m, vma, start) || straddles(m, vma, end);

const straddles = (m: Machine, vma: VmArea, edge: Address): boolean =>
  mayStraddle(vma, edge) && m.tables.huge(vma.mm.pgd, pageOf(edge)) !== 0;

const shrinks = ({ vma, start, end }: Change): boolean => start >= vma.start && end <= vma.end;

/** Start and offsets are stores of their own (vma_set_range): who reads both without a lock may see one of each. */
function resize(m: Machine, mm: Mm, { vma, start, end, anonPgoff }: Change): Op<void> {
  const pgoff = (vma.pgoff + (anonPgoff - vma.anonPgoff)) as Pgoff;
  if (vma.attached) mm.tree.resize(vma, start, end);
  if (m.sync.stepping && anonPgoff !== vma.anonPgoff) return resizeStepping(vma, start, end, pgoff, anonPgoff);
  setRange(vma, start, end, pgoff, anonPgoff);
  return READY;
}

function* resizeStepping(vma: VmArea, start: Address, end: Address, pgoff: Pgoff, anonPgoff: Pgoff): Op<void> {
  setRange(vma, start, end, vma.pgoff, vma.anonPgoff);
  yield { kind: 'store', object: vma, label: 'vm_pgoff' };
  setRange(vma, start, end, pgoff, anonPgoff);
}
