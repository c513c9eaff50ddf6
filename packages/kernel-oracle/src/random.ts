/** Numbers that look random, the same for the same seed (xorshift32). */
export class Random {
  private state: number;

  constructor(seed: number) {
    this.state = Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) >>> 0 || 1;
    for (let i = 0; i < 8; i++) this.below(2);
  }

  /** An integer from 0 to n - 1. */
  below(n: number): number {
    this.state ^= this.state << 13;
    this.state ^= this.state >>> 17;
    this.state ^= this.state << 5;
    this.state >>>= 0;
    return this.state % n;
  }

  pick<T>(values: readonly T[]): T {
    return values[this.below(values.length)];
  }
}
