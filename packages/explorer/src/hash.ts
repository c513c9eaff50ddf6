const scratch = new Float64Array(1);
const halves = new Int32Array(scratch.buffer);

/** A hash of 53 bits over words: of different sequences the same by chance only, once in 10^15 pairs. */
export class Hash {
  private high = 0;
  private low = 0;

  /** Begins anew, or goes on from the {@link value} of another hash. */
  restart(from = 0): void {
    this.high = 0x9e3779b9 ^ (from / 2 ** 21);
    this.low = 0x85ebca6b ^ (from % 2 ** 21);
  }

  /** Takes in a number of 32 bits. */
  word(word: number): void {
    this.high = Math.imul(this.high ^ word, 0x85ebca6b);
    this.high ^= this.high >>> 15;
    this.low = Math.imul(this.low ^ word ^ this.high, 0xc2b2ae35);
    this.low ^= this.low >>> 13;
  }

  /** Takes in a number of any kind. */
  number(value: number): void {
    if ((value | 0) === value) this.word(value);
    else {
      scratch[0] = value;
      this.word(halves[0]);
      this.word(halves[1]);
    }
  }

  /** Takes in what is no object: a number, a text, a truth value, nothing. */
  plain(value: unknown): void {
    if (typeof value === 'number') this.number(value);
    else if (typeof value === 'string') for (let i = 0; i < value.length; i++) this.word(value.charCodeAt(i) + 0x10000);
    else this.word(value === true ? 3 : value === false ? 5 : value === null ? 7 : 11);
  }

  /** What was taken in so far, as a number. */
  get value(): number {
    return (this.high >>> 0) * 2 ** 21 + (this.low >>> 11);
  }
}
