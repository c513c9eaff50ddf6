/** What the tree orders: something with a range that its owner keeps. */
export interface RangeItem {
  start: number;
  end: number;
}

/** Children of a node at most: wide enough that 100,000 VMAs need three levels. */
export const FANOUT = 64;

/**
 * A node of the tree; its children are items (`level` 0) or nodes. It knows the range from its first to its last child, and the
 * largest hole between neighbours inside that range, so that a search for a hole skips whole subtrees. The children's bounds
 * lie side by side in `starts` and `ends`: to look at the children themselves takes several times as long.
 */
export class TreeNode<V extends RangeItem> implements RangeItem {
  start = 0;
  end = 0;
  maxGap = 0;
  constructor(
    readonly level: number,
    readonly starts: number[] = [],
    readonly ends: number[] = [],
    readonly kids: (V | TreeNode<V>)[] = [],
  ) {}

  /** Position of the last child that starts at or below `address`; -1 when all start above it. */
  indexOf(address: number): number {
    const { starts } = this;
    let low = 0;
    let high = starts.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (starts[middle] <= address) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  /** Adds a child; {@link summarise} has to follow. */
  insertAt(at: number, kid: V | TreeNode<V>): void {
    const { starts, ends, kids } = this;
    // By hand: `splice` of so few numbers takes several times as long. It moves pointers best.
    for (let i = starts.length; i > at; i--) {
      starts[i] = starts[i - 1];
      ends[i] = ends[i - 1];
    }
    starts[at] = kid.start;
    ends[at] = kid.end;
    for (let i = kids.length; i > at; i--) kids[i] = kids[i - 1];
    kids[at] = kid;
  }

  /** Takes out a child; {@link summarise} has to follow unless none is left. */
  removeAt(at: number): void {
    const { starts, ends, kids } = this;
    const last = starts.length - 1;
    for (let i = at; i < last; i++) {
      starts[i] = starts[i + 1];
      ends[i] = ends[i + 1];
      kids[i] = kids[i + 1];
    }
    starts.pop();
    ends.pop();
    kids.pop();
  }

  /** Takes in the change of child `at`. Whether this node's own range or largest hole changed by it. */
  refresh(at: number): boolean {
    this.starts[at] = this.kids[at].start;
    this.ends[at] = this.kids[at].end;
    return this.summarise();
  }

  /** Takes in the change of child `at`, in and around which the largest hole was `before`: all are looked at only if that was the node's. */
  shrink(at: number, before: number): void {
    this.starts[at] = this.kids[at].start;
    this.ends[at] = this.kids[at].end;
    const now = this.gapAround(at);
    if (before === this.maxGap && now < before) {
      this.summarise();
      return;
    }
    this.start = this.starts[0];
    this.end = this.ends[this.ends.length - 1];
    if (now > this.maxGap) this.maxGap = now;
  }

  /** The largest hole in child `at` and beside it. */
  gapAround(at: number): number {
    const { starts, ends } = this;
    let gap = this.level > 0 ? (this.kids[at] as TreeNode<V>).maxGap : 0;
    if (at > 0) gap = Math.max(gap, starts[at] - ends[at - 1]);
    if (at + 1 < starts.length) gap = Math.max(gap, starts[at + 1] - ends[at]);
    return gap;
  }

  /** Computes range and largest hole from the children's. Whether they changed. */
  summarise(): boolean {
    const { starts, ends, kids } = this;
    const start = starts[0];
    const end = ends[ends.length - 1];
    let gap = 0;
    for (let i = 1; i < starts.length; i++) gap = Math.max(gap, starts[i] - ends[i - 1]);
    if (this.level > 0) for (const kid of kids) gap = Math.max(gap, (kid as TreeNode<V>).maxGap);
    if (start === this.start && end === this.end && gap === this.maxGap) return false;
    this.start = start;
    this.end = end;
    this.maxGap = gap;
    return true;
  }

  /** Moves the children from `at` on to a new node on the right. */
  split(at: number): TreeNode<V> {
    const right = new TreeNode<V>(this.level, this.starts.splice(at), this.ends.splice(at), this.kids.splice(at));
    right.summarise();
    this.summarise();
    return right;
  }

  /** Takes over all children of its right neighbour. */
  join(right: TreeNode<V>): void {
    this.starts.push(...right.starts);
    this.ends.push(...right.ends);
    this.kids.push(...right.kids);
    this.summarise();
  }
}
