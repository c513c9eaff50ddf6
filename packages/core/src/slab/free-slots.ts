/**
 * Hands out the lowest free slot number: a bitmap of free slots with a summary bit for every 32 below it, so that each
 * call costs one word a level. Lowest first keeps allocation independent of the history that led here.
 */
export class FreeSlots {
  private levels: Uint32Array<ArrayBufferLike>[] = [new Uint32Array(1)];
  private free = 0;
  private used = 0;

  /** The lowest free slot. */
  take(): number {
    if (this.free === 0) return this.used++;
    let at = 0;
    for (let level = this.levels.length - 1; level >= 0; level--) at = at * 32 + lowestBit(this.levels[level][at]);
    this.free--;
    for (let level = 0, bit = at; level < this.levels.length; level++, bit >>>= 5) {
      const word = this.levels[level];
      word[bit >>> 5] &= ~(1 << (bit & 31));
      if (word[bit >>> 5] !== 0) break;
    }
    return at;
  }

  /** Gives `slot` back. */
  put(slot: number): void {
    this.free++;
    while (slot >= this.levels[0].length * 32) this.grow();
    for (let level = 0, bit = slot; level < this.levels.length; level++, bit >>>= 5) {
      const word = this.levels[level];
      const before = word[bit >>> 5];
      word[bit >>> 5] = before | (1 << (bit & 31));
      if (before !== 0) break;
    }
  }

  private grow(): void {
    const [words] = this.levels;
    const larger: Uint32Array<ArrayBufferLike> = new Uint32Array(words.length * 32);
    larger.set(words);
    this.levels = [larger];
    for (let below = larger; below.length > 1; below = this.levels[this.levels.length - 1]) {
      const summary = new Uint32Array(Math.ceil(below.length / 32));
      for (let i = 0; i < below.length; i++) if (below[i] !== 0) summary[i >>> 5] |= 1 << (i & 31);
      this.levels.push(summary);
    }
  }
}

const lowestBit = (word: number): number => 31 - Math.clz32(word & -word);
