/** What the tree orders: something with a range that its owner keeps. */
export interface RangeItem {
  start: number;
  end: number;
}

/** Children of a node at most: wide enough that 32,768 VMAs need three levels. */
export const FANOUT = 32;

/**
 * A node of the tree; its children are items (`level` 0) or nodes. It knows the range from its first to its last child, and the
 * largest hole between neighbours inside that range, so that a search for a hole skips whole subtrees.
 */
export class TreeNode<V extends RangeItem> implements RangeItem {
  start = 0;
  end = 0;
  maxGap = 0;
  /** Start of each child: what a search compares, side by side in memory. */
  readonly keys: number[] = [];
  readonly kids: (V | TreeNode<V>)[] = [];
  constructor(readonly level: number) {}

  /** Position of the last child that starts at or below `address`; -1 when all start above it. */
  indexOf(address: number): number {
    const { keys } = this;
    let low = 0;
    let high = keys.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (keys[middle] <= address) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  insertAt(at: number, kid: V | TreeNode<V>): void {
    const { keys, kids } = this;
    // Shifted by hand: splice takes twice as long for so few, and allocates.
    for (let i = kids.length; i > at; i--) {
      keys[i] = keys[i - 1];
      kids[i] = kids[i - 1];
    }
    keys[at] = kid.start;
    kids[at] = kid;
  }

  /** Adds an item to a leaf and to its summary. */
  insertItem(at: number, item: V): void {
    this.insertAt(at, item);
    const { kids } = this;
    const left = kids[at - 1];
    const right = kids[at + 1];
    if (left !== undefined && right !== undefined) {
      if (right.start - left.end === this.maxGap) this.summarise();
      return;
    }
    if (left === undefined) this.start = item.start;
    else this.maxGap = Math.max(this.maxGap, item.start - left.end);
    if (right === undefined) this.end = item.end;
    else this.maxGap = Math.max(this.maxGap, right.start - item.end);
  }

  removeAt(at: number): void {
    const { keys, kids } = this;
    const last = kids.length - 1;
    for (let i = at; i < last; i++) {
      keys[i] = keys[i + 1];
      kids[i] = kids[i + 1];
    }
    keys.pop();
    kids.pop();
  }

  /** Takes in the change of child `at`. Whether this node's own range or largest hole changed by it. */
  refresh(at: number): boolean {
    this.keys[at] = this.kids[at].start;
    return this.summarise();
  }

  /** Computes range and largest hole anew. Whether they changed. */
  summarise(): boolean {
    const { kids, level } = this;
    const start = kids[0].start;
    const end = kids[kids.length - 1].end;
    let gap = level === 0 ? 0 : (kids[0] as TreeNode<V>).maxGap;
    for (let i = 1; i < kids.length; i++) {
      const between = kids[i].start - kids[i - 1].end;
      if (between > gap) gap = between;
      if (level > 0 && (kids[i] as TreeNode<V>).maxGap > gap) gap = (kids[i] as TreeNode<V>).maxGap;
    }
    if (start === this.start && end === this.end && gap === this.maxGap) return false;
    this.start = start;
    this.end = end;
    this.maxGap = gap;
    return true;
  }

  /** Moves the children from `at` on to a new node on the right. */
  split(at: number): TreeNode<V> {
    const right = new TreeNode<V>(this.level);
    right.keys.push(...this.keys.splice(at));
    right.kids.push(...this.kids.splice(at));
    right.summarise();
    this.summarise();
    return right;
  }

  /** Takes over all children of its right neighbour. */
  join(right: TreeNode<V>): void {
    this.keys.push(...right.keys);
    this.kids.push(...right.kids);
    this.summarise();
  }
}
