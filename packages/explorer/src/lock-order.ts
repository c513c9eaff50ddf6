import { ContractViolation, type RmapStrategy } from '@rmap-lab/core';

/** Two locks that are taken one way round here and the other way round there: some interleaving of such threads never ends. */
export class LockInversion extends ContractViolation {
  override readonly name = 'LockInversion';
}

/** Where reclaim begins: an allocation may wait for whatever walks wait for. */
export const RECLAIM = 'reclaim';

/** The kernel's documented order of classes, each with one that comes after it: mmap_lock, folio, i_mmap, those of the strategy in the order it declares, and page-table locks among them. */
export function documentedOrder(locks: RmapStrategy['locks']): readonly (readonly [string, string])[] {
  const above = locks.filter(({ slot }) => slot === 'above-ptl').map(({ name }) => name);
  const below = locks.filter(({ slot }) => slot === 'below-ptl').map(({ name }) => name);
  const order = ['mmap_lock', 'folio', 'i_mmap', ...above, 'ptl', ...below];
  return [
    ...order.slice(1).map((then, i) => [order[i], then] as const),
    ['mmap_lock', RECLAIM],
    ...locks.filter(({ kind }) => kind === 'rwsem').map(({ name }) => [RECLAIM, name] as const),
  ];
}

/** A lock that is held, or waited for. */
export interface Classed {
  readonly lockClass: string;
  /** Of its class, once that matters; below 0: not known yet. */
  number: number;
}

/** Which class of locks was ever waited for under which other (lockdep), in one schedule, on top of the documented order. */
export class LockOrder {
  private readonly numbers = new Map<string, number>();
  /** By class: those that come after it, as bits. */
  private readonly after: number[] = [];

  /** @param learned told what no order documents, in each schedule anew */
  constructor(
    locks: RmapStrategy['locks'],
    private readonly learned: (held: string, next: string) => void,
  ) {
    for (const [first, then] of documentedOrder(locks)) this.learn(this.of(first), this.of(then));
  }

  /** A task that holds `held` waits for `next`. @throws LockInversion (R28, or R29 for an allocation) */
  wait(held: Classed, next: Classed): void {
    if (held.lockClass === next.lockClass) return;
    const { after } = this;
    const a = this.numberOf(held);
    const b = this.numberOf(next);
    if ((after[b] & (1 << a)) !== 0) throw inversion(held.lockClass, next.lockClass);
    if ((after[a] & (1 << b)) !== 0) return;
    this.learn(a, b);
    this.learned(held.lockClass, next.lockClass);
  }

  /** Classes come after `a` that come after `b`, and `b` itself: so for all that come before `a`. */
  private learn(a: number, b: number): void {
    const behind = this.after[b] | (1 << b);
    if ((this.after[a] & behind) === behind) return;
    for (let i = 0; i < this.after.length; i++) if (i === a || (this.after[i] & (1 << a)) !== 0) this.after[i] |= behind;
  }

  private numberOf(lock: Classed): number {
    if (lock.number < 0) lock.number = this.of(lock.lockClass);
    return lock.number;
  }

  private of(name: string): number {
    let number = this.numbers.get(name);
    if (number === undefined) {
      number = this.after.length;
      if (number === 31) throw new RangeError('more than 31 classes of locks');
      this.numbers.set(name, number);
      this.after.push(0);
    }
    return number;
  }
}

function inversion(held: string, next: string): LockInversion {
  const [rule, what] = next === RECLAIM ? ['R29', 'an allocation, which may reclaim and walk,'] : ['R28', next];
  return new LockInversion(rule, held, 'lock', `${what} is waited for under ${held}, but ${next} comes before ${held}`);
}
