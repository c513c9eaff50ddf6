import type { Address } from '../units.js';
import { FANOUT, type RangeItem, TreeNode } from './vma-tree-node.js';

/** Neighbours are joined when they fit one node with room to spare, so that a removal is not followed by a split. */
const JOIN_BELOW = (FANOUT * 3) / 4;

/**
 * `mm_mt`: an ordered map of ranges that do not overlap, with the search for holes. A B+-tree: every call costs the
 * logarithm of the number of ranges. Ranges are in bytes, page-aligned, and are kept in the items themselves.
 */
export class VmaTree<V extends RangeItem> {
  /** Number of ranges. */
  size = 0;
  private root: TreeNode<V> | null = null;

  /** The range that contains `address`, else the first one above it, else null (find_vma). */
  find(address: number): V | null {
    let node = this.root;
    if (node === null || node.end <= address) return null;
    for (;;) {
      let at = Math.max(node.indexOf(address), 0);
      if (node.ends[at] <= address) at++;
      const kid: V | TreeNode<V> = node.kids[at];
      if (node.level === 0) return kid as V;
      node = kid as TreeNode<V>;
    }
  }

  /** The range that contains `address`, else null (vma_lookup). */
  lookup(address: number): V | null {
    let node = this.root;
    if (node === null || address < node.start) return null;
    let at = node.indexOf(address);
    while (node.level > 0) {
      node = node.kids[at] as TreeNode<V>;
      at = node.indexOf(address);
    }
    return address < node.ends[at] ? (node.kids[at] as V) : null;
  }

  /** The last range that ends at or below `address`, else null. */
  before(address: number): V | null {
    let node = this.root;
    if (node === null || firstEnd(node) > address) return null;
    for (;;) {
      let at = node.indexOf(address);
      if (node.level === 0) return (node.ends[at] <= address ? node.kids[at] : node.kids[at - 1]) as V;
      if (firstEnd(node.kids[at] as TreeNode<V>) > address) at--;
      node = node.kids[at] as TreeNode<V>;
    }
  }

  /** The neighbour above a range of the tree. */
  next(item: V): V | null {
    return this.find(item.end);
  }

  /** The neighbour below a range of the tree. */
  prev(item: V): V | null {
    return this.before(item.start);
  }

  first(): V | null {
    let node = this.root;
    if (node === null) return null;
    while (node.level > 0) node = node.kids[0] as TreeNode<V>;
    return node.kids[0] as V;
  }

  last(): V | null {
    let node = this.root;
    if (node === null) return null;
    while (node.level > 0) node = node.kids[node.kids.length - 1] as TreeNode<V>;
    return node.kids[node.kids.length - 1] as V;
  }

  /** Adds a range. @throws RangeError when it is empty or overlaps another */
  insert(item: V): void {
    if (!(item.start < item.end)) throw new RangeError(`range ${show(item)} is empty`);
    this.root ??= new TreeNode<V>(0);
    const right = insertBelow(this.root, item, Number.POSITIVE_INFINITY);
    if (right !== null) this.grow(right);
    this.size++;
  }

  /** Takes a range out. @throws RangeError when it is not in the tree */
  remove(item: V): void {
    if (this.root === null) throw new RangeError(`range ${show(item)} is not in the tree`);
    removeBelow(this.root, item);
    this.size--;
    while (this.root.level > 0 && this.root.kids.length === 1) this.root = this.root.kids[0] as TreeNode<V>;
    if (this.size === 0) this.root = null;
  }

  /** Gives a range of the tree new bounds, also in the item; it keeps its place between its neighbours. @throws RangeError when it would overlap one */
  resize(item: V, start: Address, end: Address): void {
    if (this.root === null) throw new RangeError(`range ${show(item)} is not in the tree`);
    resizeBelow(this.root, item, start, end, 0, Number.POSITIVE_INFINITY);
  }

  /** All ranges that touch [start, end), ascending. */
  overlapping(start: number, end: number): V[] {
    const found: V[] = [];
    for (let item = this.find(start); item !== null && item.start < end; item = this.next(item)) found.push(item);
    return found;
  }

  /** All ranges, ascending. */
  all(): V[] {
    const found: V[] = [];
    for (let item = this.first(); item !== null; item = this.next(item)) found.push(item);
    return found;
  }

  forEach(fn: (item: V) => void): void {
    if (this.root !== null) visit(this.root, fn);
  }

  *[Symbol.iterator](): Generator<V, void, void> {
    if (this.root !== null) yield* iterate(this.root);
  }

  /** The highest `a` such that [a, a + length) is free and inside [low, high), else null (vm_unmapped_area, top down). */
  highestGap(length: number, low: number, high: number): Address | null {
    const { root } = this;
    if (root === null || root.end < high) {
      const from = Math.max(low, root?.end ?? low);
      if (high - from >= length) return (high - length) as Address;
    }
    if (root === null) return null;
    const inside = highestBelow(root, length, low, high);
    if (inside !== null) return inside;
    const top = Math.min(high, root.start);
    return top - low >= length ? ((top - length) as Address) : null;
  }

  /** The lowest such (bottom up). */
  lowestGap(length: number, low: number, high: number): Address | null {
    const { root } = this;
    if (root === null || root.start > low) {
      const to = Math.min(high, root?.start ?? high);
      if (to - low >= length) return low as Address;
    }
    if (root === null) return null;
    const inside = lowestBelow(root, length, low, high);
    if (inside !== null) return inside;
    const bottom = Math.max(low, root.end);
    return high - bottom >= length ? (bottom as Address) : null;
  }

  clear(): void {
    this.root = null;
    this.size = 0;
  }

  /** Checks order, range and hole summaries, and the shape of the tree. @throws RangeError */
  validate(): void {
    const count = this.root === null ? 0 : validateBelow(this.root);
    if (count !== this.size) throw new RangeError(`the tree counts ${this.size} ranges and holds ${count}`);
  }

  private grow(right: TreeNode<V>): void {
    const root = new TreeNode<V>(right.level + 1);
    root.insertAt(0, this.root as TreeNode<V>);
    root.insertAt(1, right);
    root.summarise();
    this.root = root;
  }
}

const show = ({ start, end }: RangeItem): string => `[0x${start.toString(16)}, 0x${end.toString(16)})`;

function firstEnd<V extends RangeItem>(node: TreeNode<V>): number {
  let at = node;
  while (at.level > 0) at = at.kids[0] as TreeNode<V>;
  return at.kids[0].end;
}

/**
 * Inserts below `node`, behind which the next range starts at `above`; the node split off on its right when it became too
 * wide. @throws RangeError when it overlaps another, before anything changed
 */
function insertBelow<V extends RangeItem>(node: TreeNode<V>, item: V, above: number): TreeNode<V> | null {
  const { starts, ends, kids } = node;
  let at = node.indexOf(item.start);
  if (node.level === 0) {
    const next = at + 1 < starts.length ? starts[at + 1] : above;
    if (next < item.end || (at >= 0 && ends[at] > item.start))
      throw new RangeError(`range ${show(item)} overlaps one that is there`);
    const hole = at >= 0 && at + 1 < starts.length ? next - ends[at] : 0;
    node.insertAt(at + 1, item);
    node.shrink(at + 1, hole);
  } else {
    at = Math.max(at, 0);
    const kid = kids[at] as TreeNode<V>;
    const { start, end, maxGap } = kid;
    const hole = node.gapAround(at);
    const right = insertBelow(kid, item, at + 1 < starts.length ? starts[at + 1] : above);
    if (right !== null) {
      node.insertAt(at + 1, right);
      node.refresh(at);
    } else if (kid.start !== start || kid.end !== end || kid.maxGap !== maxGap) {
      node.shrink(at, hole);
    }
  }
  if (kids.length <= FANOUT) return null;
  // An ascending series leaves full nodes behind it; anything else splits in the middle.
  const appended = starts[starts.length - 1] === item.start;
  return node.split(appended ? FANOUT : FANOUT / 2);
}

function removeBelow<V extends RangeItem>(node: TreeNode<V>, item: V): void {
  const at = placeOf(node, item);
  if (node.level === 0) {
    node.removeAt(at);
    if (node.kids.length > 0) node.summarise();
    return;
  }
  const kid = node.kids[at] as TreeNode<V>;
  removeBelow(kid, item);
  if (kid.kids.length === 0) {
    node.removeAt(at);
  } else {
    node.refresh(at);
    joinNeighbours(node, at);
  }
  if (node.kids.length > 0) node.summarise();
}

function joinNeighbours<V extends RangeItem>(node: TreeNode<V>, at: number): void {
  for (const left of [at, at - 1]) {
    const a = node.kids[left] as TreeNode<V> | undefined;
    const b = node.kids[left + 1] as TreeNode<V> | undefined;
    if (a === undefined || b === undefined || a.kids.length + b.kids.length > JOIN_BELOW) continue;
    a.join(b);
    node.removeAt(left + 1);
    node.refresh(left);
    return;
  }
}

/** Which child of `node` is `item` or contains it. @throws RangeError when none does */
function placeOf<V extends RangeItem>(node: TreeNode<V>, item: V): number {
  const at = node.indexOf(item.start);
  if (at < 0 || (node.level === 0 && node.kids[at] !== item)) throw new RangeError(`range ${show(item)} is not in the tree`);
  return at;
}

/** Gives `item`, below `node` and between ranges that end at `low` and start at `high`, its new range; whether the summary of `node` changed by it. */
function resizeBelow<V extends RangeItem>(
  node: TreeNode<V>,
  item: V,
  start: Address,
  end: Address,
  low: number,
  high: number,
): boolean {
  const at = placeOf(node, item);
  const { starts, ends, start: nodeStart, end: nodeEnd, maxGap } = node;
  const below = at > 0 ? ends[at - 1] : low;
  const above = at + 1 < starts.length ? starts[at + 1] : high;
  const hole = node.gapAround(at);
  if (node.level > 0) {
    if (!resizeBelow(node.kids[at] as TreeNode<V>, item, start, end, below, above)) return false;
  } else {
    if (!(start < end) || start < below || end > above)
      throw new RangeError(`range ${show(item)} can not become ${show({ start, end })} between its neighbours`);
    item.start = start;
    item.end = end;
  }
  node.shrink(at, hole);
  return node.start !== nodeStart || node.end !== nodeEnd || node.maxGap !== maxGap;
}

function visit<V extends RangeItem>(node: TreeNode<V>, fn: (item: V) => void): void {
  for (const kid of node.kids) {
    if (node.level === 0) fn(kid as V);
    else visit(kid as TreeNode<V>, fn);
  }
}

function* iterate<V extends RangeItem>(node: TreeNode<V>): Generator<V, void, void> {
  for (const kid of node.kids) {
    if (node.level === 0) yield kid as V;
    else yield* iterate(kid as TreeNode<V>);
  }
}

function highestBelow<V extends RangeItem>(node: TreeNode<V>, length: number, low: number, high: number): Address | null {
  if (node.maxGap < length) return null;
  const { kids, level } = node;
  for (let i = Math.min(node.indexOf(high) + 1, kids.length - 1); i >= 0; i--) {
    if (level > 0) {
      const inside = highestBelow(kids[i] as TreeNode<V>, length, low, high);
      if (inside !== null) return inside;
    }
    if (i === 0 || kids[i].start <= low) return null;
    const top = Math.min(high, kids[i].start);
    if (top - Math.max(low, kids[i - 1].end) >= length) return (top - length) as Address;
  }
  return null;
}

function lowestBelow<V extends RangeItem>(node: TreeNode<V>, length: number, low: number, high: number): Address | null {
  if (node.maxGap < length) return null;
  const { kids, level } = node;
  for (let i = Math.max(node.indexOf(low), 0); i < kids.length && kids[i].start < high; i++) {
    if (level > 0) {
      const inside = lowestBelow(kids[i] as TreeNode<V>, length, low, high);
      if (inside !== null) return inside;
    }
    if (i + 1 === kids.length) return null;
    const bottom = Math.max(low, kids[i].end);
    if (Math.min(high, kids[i + 1].start) - bottom >= length) return bottom as Address;
  }
  return null;
}

/** Number of ranges below `node`. */
function validateBelow<V extends RangeItem>(node: TreeNode<V>): number {
  const { kids, starts, ends, level, start, end, maxGap } = node;
  if (kids.length === 0 || kids.length > FANOUT) throw new RangeError(`a node has ${kids.length} children`);
  if (node.summarise()) throw new RangeError(`summary ${show({ start, end })}, hole ${maxGap} of a node is stale`);
  let count = 0;
  kids.forEach((kid, i) => {
    if (starts[i] !== kid.start || ends[i] !== kid.end) throw new RangeError(`what a node knows of ${show(kid)} is stale`);
    if (i > 0 && kids[i - 1].end > kid.start) throw new RangeError(`${show(kids[i - 1])} is not below ${show(kid)}`);
    count += level === 0 ? 1 : validateBelow(kid as TreeNode<V>);
  });
  return count;
}
