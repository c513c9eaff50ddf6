import { COUNTERS } from '@rmap-lab/core';

/** What an object carries to be a node of an {@link IntervalTree}: the tree is threaded through the objects it holds. */
export interface IntervalNode<N> {
  /** First and last offset of the interval, both inside; fixed while the node is in a tree. */
  first: number;
  last: number;
  /** The tree's own: the greatest `last` at or below this node, its height, its neighbours. */
  subtreeLast: number;
  height: number;
  left: N | null;
  right: N | null;
  parent: N | null;
}

/**
 * Intervals in order of `first`, equal ones in order of insertion, each node knowing the greatest `last` below it: the
 * kernel's augmented interval tree, balanced by height (AVL). Allocates nothing. Insertion, removal and finding the first or
 * next interval that overlaps a range take O(log n).
 */
export class IntervalTree<N extends IntervalNode<N>> {
  static readonly [COUNTERS] = ['visited'];
  /** The node that all others are below. */
  top: N | null = null;
  /** Nodes looked at by `first` and `next`, until somebody takes the figure and resets it. */
  visited = 0;

  /** Adds `node`, whose `first` and `last` are set. */
  insert(node: N): void {
    let parent: N | null = null;
    let below = false;
    for (let at = this.top; at !== null; at = below ? at.left : at.right) {
      parent = at;
      below = node.first < at.first;
    }
    node.left = null;
    node.right = null;
    node.parent = parent;
    node.height = 1;
    node.subtreeLast = node.last;
    if (parent === null) this.top = node;
    else if (below) parent.left = node;
    else parent.right = node;
    this.repair(parent);
  }

  /** Takes `node` out; it must be in this tree. */
  remove(node: N): void {
    const { left, right, parent } = node;
    if (left === null || right === null) {
      this.replace(node, left ?? right);
      this.repair(parent);
      return;
    }
    let heir = right;
    while (heir.left !== null) heir = heir.left;
    const lowest = heir.parent === node ? heir : heir.parent;
    this.replace(heir, heir.right);
    this.replace(node, heir);
    setLeft(heir, node.left);
    setRight(heir, node.right);
    // The heir stands for what the node stood for until it is repaired itself: its place must not look unchanged.
    heir.height = node.height;
    heir.subtreeLast = node.subtreeLast;
    this.repair(lowest);
    this.repair(heir);
  }

  /** The first node that overlaps `first`..`last`, or null. */
  first(first: number, last: number): N | null {
    const { top } = this;
    return top === null || top.subtreeLast < first ? null : this.firstBelow(top, first, last);
  }

  /** The node after `node` that overlaps `first`..`last`, or null. */
  next(node: N, first: number, last: number): N | null {
    let at = node;
    for (;;) {
      const { right } = at;
      if (right !== null && right.subtreeLast >= first) return this.firstBelow(right, first, last);
      let child: N;
      do {
        child = at;
        if (child.parent === null) return null;
        at = child.parent;
      } while (at.right === child);
      this.visited++;
      if (at.first > last) return null;
      if (at.last >= first) return at;
    }
  }

  /**
   * The first overlapping node at or below `top`, which has something that ends at `first` or behind it. Once a left
   * subtree has such an interval, the leftmost of them decides: what is to the right of it starts even later. Where
   * neither the left subtree nor the node itself has it, the right one does.
   */
  private firstBelow(top: N, first: number, last: number): N | null {
    let at = top;
    for (;;) {
      this.visited++;
      const { left, right } = at;
      if (left !== null && left.subtreeLast >= first) {
        at = left;
        continue;
      }
      if (at.first > last) return null;
      if (at.last >= first) return at;
      at = right as N;
    }
  }

  /** Restores balance, heights and `subtreeLast` from `node` upwards, as far as anything changes. */
  private repair(node: N | null): void {
    for (let at = node; at !== null; at = at.parent) {
      const { height, subtreeLast } = at;
      const lean = heightOf(at.left) - heightOf(at.right);
      if (lean > 1) at = this.rotateRight(at);
      else if (lean < -1) at = this.rotateLeft(at);
      else refresh(at);
      if (at.height === height && at.subtreeLast === subtreeLast) return;
    }
  }

  /** Lifts the left child of `top` above it; returns what is on top then. */
  private rotateRight(top: N): N {
    let pivot = top.left as N;
    if (heightOf(pivot.right) > heightOf(pivot.left)) pivot = this.liftRight(pivot);
    return this.liftLeft(top, pivot);
  }

  private rotateLeft(top: N): N {
    let pivot = top.right as N;
    if (heightOf(pivot.left) > heightOf(pivot.right)) pivot = this.liftLeft(pivot);
    return this.liftRight(top, pivot);
  }

  private liftLeft(top: N, pivot = top.left as N): N {
    this.replace(top, pivot);
    setLeft(top, pivot.right);
    setRight(pivot, top);
    refresh(top);
    refresh(pivot);
    return pivot;
  }

  private liftRight(top: N, pivot = top.right as N): N {
    this.replace(top, pivot);
    setRight(top, pivot.left);
    setLeft(pivot, top);
    refresh(top);
    refresh(pivot);
    return pivot;
  }

  /** Puts `other` where `node` hangs; what is below `node` stays with it. */
  private replace(node: N, other: N | null): void {
    const { parent } = node;
    if (parent === null) this.top = other;
    else if (parent.left === node) parent.left = other;
    else parent.right = other;
    if (other !== null) other.parent = parent;
  }
}

function heightOf(node: IntervalNode<unknown> | null): number {
  return node === null ? 0 : node.height;
}

function setLeft<N extends IntervalNode<N>>(node: N, child: N | null): void {
  node.left = child;
  if (child !== null) child.parent = node;
}

function setRight<N extends IntervalNode<N>>(node: N, child: N | null): void {
  node.right = child;
  if (child !== null) child.parent = node;
}

/** Recomputes what `node` says about itself and all below. */
function refresh<N extends IntervalNode<N>>(node: N): void {
  const { left, right } = node;
  node.height = 1 + Math.max(heightOf(left), heightOf(right));
  let { last } = node;
  if (left !== null && left.subtreeLast > last) last = left.subtreeLast;
  if (right !== null && right.subtreeLast > last) last = right.subtreeLast;
  node.subtreeLast = last;
}
