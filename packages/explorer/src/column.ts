/** Memory of so few words is looked at word by word: a native look costs as much as that. */
const FEW = 32;

/** Memory as words of four bytes, or single bytes where it is no whole number of those. */
type Words = Int32Array | Uint8Array;

/** Is told of words that are not what they were. */
export interface WordReader {
  word(at: number, word: number): void;
}

/** The memory of a typed array as words, and what it held. */
export class Column {
  private readonly saved: Words;
  /** Places of words that differed at some time, ascending; each is looked at. */
  private hot: readonly number[];
  /** What was saved, but for hot words, which are as they are now: the others hardly ever differ, and a native look at all is far cheaper. Null: all are hot. */
  private readonly expected: { readonly words: Words; readonly bytes: Buffer } | null;
  private readonly bytes: Buffer;
  /** Places of words that differed when last looked at: so many of these. */
  private readonly different: number[] = [];
  private differing = 0;

  constructor(private readonly now: Words) {
    this.saved = now.slice();
    this.bytes = bytesOf(now);
    const words = now.slice();
    this.expected = now.length <= FEW ? null : { words, bytes: bytesOf(words) };
    this.hot = this.expected === null ? Array.from(now, (_, at) => at) : [];
  }

  get length(): number {
    return this.now.length;
  }

  /** Puts the words back. @param looked nothing has changed since {@link differences} looked */
  restore(looked: boolean): void {
    const { now, saved, different } = this;
    if (looked) for (let i = 0; i < this.differing; i++) now[different[i]] = saved[different[i]];
    else now.set(saved);
  }

  /** Tells of every word that is not what it was, ascending. How many those are. */
  differences(reader: WordReader): number {
    this.findHot();
    const { now, saved, hot, different } = this;
    let found = 0;
    for (let i = 0; i < hot.length; i++) {
      const at = hot[i];
      if (now[at] === saved[at]) continue;
      different[found++] = at;
      reader.word(at, now[at]);
    }
    this.differing = found;
    return found;
  }

  /** Finds words that differ for the first time. */
  private findHot(): void {
    const { now, hot, expected } = this;
    if (expected === null) return;
    for (let i = 0; i < hot.length; i++) expected.words[hot[i]] = now[hot[i]];
    if (this.bytes.equals(expected.bytes)) return;
    const found = [...hot];
    for (let at = 0; at < now.length; at++) if (now[at] !== expected.words[at]) found.push(at);
    this.hot = found.sort((a, b) => a - b);
  }
}

const bytesOf = ({ buffer, byteOffset, byteLength }: Words): Buffer => Buffer.from(buffer, byteOffset, byteLength);

/** The memory of a typed array as words. */
export const wordsOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView): Words =>
  (byteOffset | byteLength) % 4 === 0
    ? new Int32Array(buffer, byteOffset, byteLength / 4)
    : new Uint8Array(buffer, byteOffset, byteLength);
