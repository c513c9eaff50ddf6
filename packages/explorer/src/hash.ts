const scratch = new Float64Array(1);
const halves = new Int32Array(scratch.buffer);

/** What comes before all but a whole number of 32 bits, so that nothing goes by the words of something else. */
const TAGS = {
  double: 0x5bd1e995,
  string: 0x3c6ef373,
  bigint: 0x2545f491,
  symbol: 0x1b873593,
  object: 0x6c078965,
  true: 0x4cf5ad43,
  false: 0x27d4eb2f,
  null: 0x165667b1,
  undefined: 0x7feb352d,
  hole: 0x846ca68b,
} as const;

/** Symbols have no content: they go by the order in which they were met. */
const symbols = new Map<symbol, number>();

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
      this.word(TAGS.double);
      this.word(halves[0]);
      this.word(halves[1]);
    }
  }

  /** Takes in an object, by its number. */
  object(number: number): void {
    this.word(TAGS.object);
    this.number(number);
  }

  /** Takes in that an array has no such element. */
  hole(): void {
    this.word(TAGS.hole);
  }

  /** Takes in what is no object: a number, a text, a truth value, nothing. */
  plain(value: unknown): void {
    if (typeof value === 'number') this.number(value);
    else if (typeof value === 'string') this.text(TAGS.string, value);
    else if (typeof value === 'bigint') this.text(TAGS.bigint, String(value));
    else if (typeof value === 'symbol') {
      this.word(TAGS.symbol);
      this.word(numberOf(value));
    } else this.word(value === true ? TAGS.true : value === false ? TAGS.false : value === null ? TAGS.null : TAGS.undefined);
  }

  /** The length goes first: texts in a row are told from others that are the same when joined. */
  private text(tag: number, text: string): void {
    this.word(tag);
    this.word(text.length);
    for (let i = 0; i < text.length; i++) this.word(text.charCodeAt(i));
  }

  /** What was taken in so far, as a number. */
  get value(): number {
    return (this.high >>> 0) * 2 ** 21 + (this.low >>> 11);
  }
}

function numberOf(symbol: symbol): number {
  const number = symbols.get(symbol) ?? symbols.size;
  symbols.set(symbol, number);
  return number;
}
