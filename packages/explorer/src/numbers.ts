import { SHARED, type Step } from '@rmap-lab/core';

const ANNOUNCED = Symbol('number by order of announcement');
interface Numbered {
  [SHARED]?: number;
  [ANNOUNCED]?: number;
}

/** Keys of one object that are told apart. */
const KEYS = 2 ** 24;

/**
 * Gives shared objects numbers that mean the same in every schedule with the same beginning. Objects of core carry one (`SHARED`);
 * others get theirs in the order in which steps announce them. What is neither named nor announced is one and the same object:
 * too much dependence costs time, too little would miss schedules.
 */
export class Numbers {
  private next = 0;
  private readonly dense = new Map<number, number>();

  /** A new execution begins. */
  restart(): void {
    this.next = 0;
  }

  /** The number of part `key` of an object that is touched. */
  of(object: object, key: number): number {
    const shared = (object as Numbered)[SHARED];
    if (shared === undefined) return (object as Numbered)[ANNOUNCED] ?? 1;
    const name = shared * KEYS + key;
    let number = this.dense.get(name);
    if (number === undefined) {
      number = this.dense.size * 2;
      this.dense.set(name, number);
    }
    return number;
  }

  /** The number of an object that a step announces. */
  announce(object: object): number {
    this.next += 2;
    (object as Numbered)[ANNOUNCED] = this.next + 1;
    return this.next + 1;
  }
}

/** The number of what `step` touches. */
export function numberOf(numbers: Numbers, step: Step): number {
  const object = step.object as Numbered;
  return object[SHARED] === undefined ? (object[ANNOUNCED] ?? numbers.announce(object)) : numbers.of(object, step.key ?? 0);
}
