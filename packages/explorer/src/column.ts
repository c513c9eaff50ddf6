/** Words that are looked at together. */
const BLOCK = 64;

/** Memory as words of four bytes, or single bytes where it is no whole number of those. */
type Words = Int32Array | Uint8Array;

/** The memory of a typed array as words, and what it held. */
export class Column {
  private readonly saved: Words;
  /** Blocks that differed at some time, ascending; each is looked at word by word. */
  private hot: readonly number[];
  /** What lies between them. It hardly ever differs, and a native look at all of it is far cheaper. */
  private cold: readonly (readonly [now: Buffer, saved: Buffer])[] = [];

  constructor(private readonly now: Words) {
    this.saved = now.slice();
    this.hot = now.length <= 2 * BLOCK ? this.blocks() : [];
    this.findCold();
  }

  get length(): number {
    return this.now.length;
  }

  /** Puts the words back. @param looked nothing has changed since {@link differences} looked */
  restore(looked: boolean): void {
    const { now, saved, hot } = this;
    if (!looked) now.set(saved);
    else
      for (let i = 0; i < hot.length; i++) {
        const end = Math.min(hot[i] + BLOCK, now.length);
        for (let at = hot[i]; at < end; at++) now[at] = saved[at];
      }
  }

  /** Calls `tell` for every word that is not what it was, ascending. How many those are. */
  differences(tell: (at: number, word: number) => void): number {
    for (const [now, saved] of this.cold)
      if (!now.equals(saved)) {
        this.hot = this.blocks().filter((block) => this.hot.includes(block) || this.differs(block));
        this.findCold();
        break;
      }
    const { now, saved, hot } = this;
    let found = 0;
    for (let i = 0; i < hot.length; i++) {
      const end = Math.min(hot[i] + BLOCK, now.length);
      for (let at = hot[i]; at < end; at++)
        if (now[at] !== saved[at]) {
          found++;
          tell(at, now[at]);
        }
    }
    return found;
  }

  private blocks(): number[] {
    return Array.from({ length: Math.ceil(this.now.length / BLOCK) }, (_, i) => i * BLOCK);
  }

  private differs(block: number): boolean {
    return this.saved.subarray(block, block + BLOCK).some((word, i) => word !== this.now[block + i]);
  }

  private findCold(): void {
    const ends = [...this.hot, this.now.length];
    const starts = [0, ...this.hot.map((block) => block + BLOCK)];
    this.cold = starts.flatMap((start, i) =>
      start < ends[i] ? [[bytes(this.now, start, ends[i]), bytes(this.saved, start, ends[i])] as const] : [],
    );
  }
}

const bytes = ({ buffer, byteOffset, BYTES_PER_ELEMENT: size }: Words, from: number, to: number): Buffer =>
  Buffer.from(buffer, byteOffset + size * from, size * (to - from));

/** The memory of a typed array as words. */
export const wordsOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView): Words =>
  (byteOffset | byteLength) % 4 === 0
    ? new Int32Array(buffer, byteOffset, byteLength / 4)
    : new Uint8Array(buffer, byteOffset, byteLength);
