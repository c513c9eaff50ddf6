/** Chooses by a seed (a linear congruential generator): the same of the same things. */
export class Draw {
  constructor(private state: number) {}

  /** `count` of `all`, none twice; all where there are no more. */
  some<T>(all: Iterable<T>, count: number): T[] {
    const things = [...all];
    const chosen = Math.min(count, things.length);
    for (let i = 0; i < chosen; i++) {
      const at = i + this.below(things.length - i);
      [things[i], things[at]] = [things[at], things[i]];
    }
    return things.slice(0, chosen);
  }

  private below(n: number): number {
    this.state = (Math.imul(this.state, 1664525) + 1013904223) >>> 0;
    return Math.floor((this.state / 2 ** 32) * n);
  }
}
