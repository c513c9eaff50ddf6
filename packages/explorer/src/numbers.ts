import { SHARED, type Step } from '@rmap-lab/core';

const ANNOUNCED = Symbol('number by order of announcement');
/** Objects outlive an execution: numbers of another one mean nothing. */
const EXECUTION = Symbol('execution that announced it');
/** Fields that explorers add to objects of core. */
export const NUMBER_FIELDS: readonly symbol[] = [ANNOUNCED, EXECUTION];

interface Numbered {
  [SHARED]?: number;
  [ANNOUNCED]?: number;
  [EXECUTION]?: number;
}

/** Executions so far, of all programs. */
let executions = 0;

/** Keys of one object that are told apart. */
const KEYS = 2 ** 24;

/**
 * Gives shared objects numbers that mean the same in every schedule with the same beginning. Objects of core carry one (`SHARED`);
 * others get theirs in the order in which steps announce them. What is neither named nor announced is one and the same object:
 * too much dependence costs time, too little would miss schedules.
 */
export class Numbers {
  private next = 0;
  private execution = 0;
  private readonly dense = new Map<number, number>();

  /** A new execution begins. */
  restart(): void {
    this.next = 0;
    this.execution = ++executions;
  }

  /** The number of part `key` of an object that is touched. */
  of(object: object, key: number): number {
    const shared = (object as Numbered)[SHARED];
    if (shared === undefined) return this.announced(object) ?? 1;
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
    const known = this.announced(object);
    if (known !== undefined) return known;
    this.next += 2;
    (object as Numbered)[ANNOUNCED] = this.next + 1;
    (object as Numbered)[EXECUTION] = this.execution;
    return this.next + 1;
  }

  private announced(object: Numbered): number | undefined {
    return object[EXECUTION] === this.execution ? object[ANNOUNCED] : undefined;
  }
}

/** The number of what `step` touches. */
export function numberOf(numbers: Numbers, step: Step): number {
  const object = step.object as Numbered;
  return object[SHARED] === undefined ? numbers.announce(object) : numbers.of(object, step.key ?? 0);
}
