/** A set of addresses, as ascending ranges that neither overlap nor touch. */
export class Ranges {
  /** Start and end by turns. */
  private readonly bounds: number[] = [];

  copy(): Ranges {
    const copy = new Ranges();
    copy.bounds.push(...this.bounds);
    return copy;
  }

  has(address: number): boolean {
    return this.below(address + 1) % 2 === 1;
  }

  /** Whether all of [start, end) belongs to the set; nothing always does. */
  covers(start: number, end: number): boolean {
    return start >= end || (this.has(start) && this.bounds[this.below(start + 1)] >= end);
  }

  /** Whether any of [start, end) belongs to the set. */
  meets(start: number, end: number): boolean {
    return start < end && (this.has(start) || this.below(start + 1) < this.below(end));
  }

  add(start: number, end: number): void {
    this.replace(start, end, true);
  }

  remove(start: number, end: number): void {
    this.replace(start, end, false);
  }

  /** The range that follows `address`, which is in none; null: nothing follows. */
  after(address: number): { readonly start: number; readonly end: number } | null {
    const at = this.below(address + 1);
    return at < this.bounds.length ? { start: this.bounds[at], end: this.bounds[at + 1] } : null;
  }

  /** Bounds below `address`: an odd number inside a range. */
  private below(address: number): number {
    let [low, high] = [0, this.bounds.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.bounds[middle] < address) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Makes all of [start, end) belong to the set, or none of it. */
  private replace(start: number, end: number, belongs: boolean): void {
    if (start >= end) return;
    const first = this.below(start);
    const last = this.below(end + 1);
    const edges: number[] = [];
    // A bound stays where what is outside differs from what is inside from now on.
    if ((first % 2 === 1) !== belongs) edges.push(start);
    if ((last % 2 === 1) !== belongs) edges.push(end);
    this.bounds.splice(first, last - first, ...edges);
  }
}
