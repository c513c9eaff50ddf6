import { NoMemory } from '../errors.js';
import type { FileMapping } from '../folio/page-cache.js';
import type { Machine } from '../machine.js';
import type { Mm } from '../mm/mm.js';
import { finish, type Op, ready, run } from '../sync/op.js';
import { type Address, PAGE_SIZE, type Pgoff } from '../units.js';
import { adjustVmas, type Change, withStart } from './adjust.js';
import { cloneRmap, unlinkRmap } from './link.js';
import { splitVma } from './split.js';
import { VM_SPECIAL, VM_STICKY } from './vm-flags.js';
import type { VmArea } from './vma.js';

/** A range that may become part of its neighbours (vma_merge_struct). */
export interface MergeRange {
  readonly mm: Mm;
  readonly prev: VmArea | null;
  readonly next: VmArea | null;
  readonly start: Address;
  readonly end: Address;
  readonly pgoff: Pgoff;
  readonly anonPgoff: Pgoff;
  readonly flags: number;
  readonly file: FileMapping | null;
}

type How = 'new' | 'modified' | 'moved' | 'grown' | 'bridge';

/** Whether the memory of `range` may become part of its neighbour `target`: flags, file, offsets, and the strategy's word. */
function fits(m: Machine, range: MergeRange, target: VmArea, source: VmArea | null, how: How): boolean {
  if (((target.flags ^ range.flags) & ~VM_STICKY) !== 0 || target.file !== range.file) return false;
  const distance = (range.start - target.start) / PAGE_SIZE;
  if (range.pgoff - target.pgoff !== distance || range.anonPgoff - target.anonPgoff !== distance) return false;
  return source === target || m.rmap.canMerge === undefined || m.rmap.canMerge(source, target, how);
}

const fitsLeft = (m: Machine, range: MergeRange, source: VmArea | null, how: How): boolean =>
  range.prev !== null && range.prev.end === range.start && fits(m, range, range.prev, source, how);

/** Joining both sides needs more than each side's consent: prev and next must fit each other, too. */
function fitsRight(m: Machine, range: MergeRange, source: VmArea | null, how: How, left: boolean): boolean {
  const { prev, next } = range;
  if (next === null || next.start !== range.end || !fits(m, range, next, source, how)) return false;
  return !left || prev === null || m.rmap.canMerge === undefined || m.rmap.canMerge(prev, next, 'bridge');
}

const sticky = (a: VmArea | null, b: VmArea | null): number =>
  ((a === null ? 0 : a.flags) | (b === null ? 0 : b.flags)) & VM_STICKY;

/**
 * Tries to let the neighbours take in a fresh range; the VMA that did, or null (vma_merge_new_range, vma_merge_copied_range,
 * vma_merge_extend). `source` is the VMA that the range is copied or grown from. Running out of memory is no merge.
 * @param justExpand only the VMA below is considered (brk)
 */
export function mergeNewRange(
  m: Machine,
  range: MergeRange,
  source: VmArea | null,
  how: 'new' | 'moved' | 'grown',
  justExpand = false,
): Op<VmArea | null> {
  if ((range.flags & VM_SPECIAL) !== 0) return ready(null);
  const left = fitsLeft(m, range, source, how);
  const right = !justExpand && fitsRight(m, range, source, how, left);
  return left || right ? growInto(m, range, source, how, left, right) : ready(null);
}

/** Grows the neighbours that agreed; running out of memory is no merge. */
function growInto(
  m: Machine,
  range: MergeRange,
  source: VmArea | null,
  how: How,
  left: boolean,
  right: boolean,
): Op<VmArea | null> {
  const plan = growPlan(m, range, source, how, left, right);
  if (m.sync.stepping) return growStepping(m, plan);
  try {
    return commitMerge(m, plan);
  } catch (error) {
    if (!(error instanceof NoMemory)) throw error;
    return ready(null);
  }
}

function* growStepping(m: Machine, plan: MergePlan): Op<VmArea | null> {
  try {
    return yield* commitMerge(m, plan);
  } catch (error) {
    if (!(error instanceof NoMemory)) throw error;
    return null;
  }
}

function growPlan(m: Machine, range: MergeRange, source: VmArea | null, how: How, left: boolean, right: boolean): MergePlan {
  const { prev, next } = range;
  m.count('merge');
  const grown = (left ? prev : next) as VmArea;
  const other = left && right ? (next as VmArea) : null;
  const change: Change = left
    ? { vma: grown, start: grown.start, end: other === null ? range.end : other.end, anonPgoff: grown.anonPgoff }
    : withStart(grown, range.start, grown.end);
  const from = other?.faulted ? other : how === 'moved' && source !== null ? source : grown;
  return letStrategyChoose(m, {
    changes: [change],
    removed: other === null ? [] : [other],
    target: grown,
    from,
    source,
    sticky: sticky(left ? prev : null, other) | (range.flags & VM_STICKY),
  });
}

/** What {@link modifyVma} changes: a part or all of `middle`, whose flags will differ. */
export interface Modification {
  readonly middle: VmArea;
  readonly start: Address;
  readonly end: Address;
  readonly flags: number;
  /** A merge that runs out of memory is none (give_up_on_oom); only for all of `middle`. */
  readonly mergeOrNot?: boolean;
}

/**
 * Tries to let a neighbour of `middle` take in the range whose flags are about to change; the VMA that then contains it, or
 * null (vma_merge_existing_range). @throws NoMemory, nothing changed
 */
function mergeExistingRange(m: Machine, { middle, start, end, flags }: Modification): Op<VmArea | null> {
  const { mm } = middle;
  const leftSide = start === middle.start;
  const rightSide = end === middle.end;
  if ((flags & VM_SPECIAL) !== 0 || (!leftSide && !rightSide)) return ready(null);
  const offset = (start - middle.start) / PAGE_SIZE;
  const range: MergeRange = {
    mm,
    prev: leftSide ? mm.tree.prev(middle) : null,
    next: rightSide ? mm.tree.next(middle) : null,
    start,
    end,
    pgoff: (middle.pgoff + offset) as Pgoff,
    anonPgoff: (middle.anonPgoff + offset) as Pgoff,
    flags,
    file: middle.file,
  };
  const left = fitsLeft(m, range, middle, 'modified');
  const right = fitsRight(m, range, middle, 'modified', left);
  if (!left && !right) return ready(null);
  m.count('merge');
  return commitMerge(m, letStrategyChoose(m, mergePlan(range, middle, left, right)));
}

/** Who lives on, who changes, who goes, and whose reverse map an unfaulted survivor takes over. */
interface MergePlan {
  readonly changes: readonly Change[];
  readonly removed: readonly VmArea[];
  readonly target: VmArea;
  readonly from: VmArea;
  /** What the range is copied or grown from. */
  readonly source: VmArea | null;
  /** Sticky flags that the survivor gets. */
  readonly sticky: number;
}

/** Where a whole VMA is swallowed, the strategy may prefer that it lives on instead. */
function letStrategyChoose(m: Machine, plan: MergePlan): MergePlan {
  const { removed, target } = plan;
  if (m.rmap.survivor === undefined || removed.length === 0) return plan;
  const { survivor } = m.rmap;
  const all = [target, ...removed].sort((a, b) => a.start - b.start);
  const pick = all.reduce((left, right) => (survivor.call(m.rmap, left, right) ?? (right === target ? right : left)) as VmArea);
  if (pick === target) return plan;
  pick.flags = target.flags;
  return {
    ...plan,
    changes: [{ ...plan.changes[0], vma: pick }],
    removed: all.filter((vma) => vma !== pick),
    target: pick,
    from: all.find((vma) => vma.faulted) ?? plan.from,
  };
}

/** Carries out a plan (commit_merge). @throws NoMemory, nothing changed */
function commitMerge(m: Machine, plan: MergePlan): Op<VmArea> {
  if (m.sync.stepping) return commitStepping(m, plan);
  const { changes, removed, target, from } = plan;
  const cloned = !target.faulted && from.faulted;
  if (cloned) finish(cloneRmap(m, target, from, reasonOf(plan)));
  try {
    finish(adjustVmas(m, target.mm, changes, null, removed));
  } catch (error) {
    if (cloned) finish(unlinkRmap(m, target));
    throw error;
  }
  target.flags |= plan.sticky;
  return ready(target);
}

/** The same, giving way to others. */
function* commitStepping(m: Machine, plan: MergePlan): Op<VmArea> {
  const { changes, removed, target, from } = plan;
  const cloned = !target.faulted && from.faulted;
  if (cloned) yield* cloneRmap(m, target, from, reasonOf(plan));
  try {
    yield* adjustVmas(m, target.mm, changes, null, removed);
  } catch (error) {
    if (cloned) yield* unlinkRmap(m, target);
    throw error;
  }
  target.flags |= plan.sticky;
  return target;
}

const reasonOf = ({ from, source }: MergePlan): 'merge' | 'move' => (from === source ? 'move' : 'merge');

/** The case table of a merge into `middle`'s neighbours: who lives on, who changes, who goes, whose reverse map is copied. */
function mergePlan(range: MergeRange, middle: VmArea, left: boolean, right: boolean): MergePlan {
  const { start, end } = range;
  const prev = range.prev as VmArea;
  const next = range.next as VmArea;
  const whole = start === middle.start && end === middle.end;
  const common = { source: null, sticky: sticky(left ? prev : null, right ? next : null) | (range.flags & VM_STICKY) };
  if (left && right) {
    const change = { vma: prev, start: prev.start, end: next.end, anonPgoff: prev.anonPgoff };
    return { changes: [change], removed: [middle, next], target: prev, from: next.faulted ? next : middle, ...common };
  }
  if (left) {
    const change = { vma: prev, start: prev.start, end, anonPgoff: prev.anonPgoff };
    if (whole) return { changes: [change], removed: [middle], target: prev, from: middle, ...common };
    return { changes: [change, withStart(middle, end, middle.end)], removed: [], target: prev, from: middle, ...common };
  }
  const change = withStart(next, start, next.end);
  if (whole) return { changes: [change], removed: [middle], target: next, from: middle, ...common };
  const rest = { vma: middle, start: middle.start, end: start, anonPgoff: middle.anonPgoff };
  return { changes: [rest, change], removed: [], target: next, from: middle, ...common };
}

/**
 * Gives [start, end) of a VMA other flags: merges it into a neighbour, or splits it off; the VMA that then is the range or
 * contains it (vma_modify_flags). Its flags are not set yet unless it merged. @throws ENOMEM; a first split may stay
 */
export function modifyVma(m: Machine, change: Modification): Op<VmArea> {
  if (m.sync.stepping) return modifyStepping(m, change);
  const { middle, start, end } = change;
  const merged = mergeNow(m, change);
  if (merged !== null) return ready(merged);
  if (middle.start < start) run(splitVma(m, middle, start, true));
  if (middle.end > end) run(splitVma(m, middle, end, false));
  return ready(middle);
}

function mergeNow(m: Machine, change: Modification): VmArea | null {
  try {
    return run(mergeExistingRange(m, change));
  } catch (error) {
    if (change.mergeOrNot !== true || !(error instanceof NoMemory)) throw error;
    return null;
  }
}

function* mergeStepping(m: Machine, change: Modification): Op<VmArea | null> {
  try {
    return yield* mergeExistingRange(m, change);
  } catch (error) {
    if (change.mergeOrNot !== true || !(error instanceof NoMemory)) throw error;
    return null;
  }
}

/** The same, giving way to others. */
function* modifyStepping(m: Machine, change: Modification): Op<VmArea> {
  const { middle, start, end } = change;
  const merged = yield* mergeStepping(m, change);
  if (merged !== null) return merged;
  if (middle.start < start) yield* splitVma(m, middle, start, true);
  if (middle.end > end) yield* splitVma(m, middle, end, false);
  return middle;
}
