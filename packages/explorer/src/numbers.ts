import type { Step } from '@rmap-lab/core';

const NUMBER = Symbol('number by order of announcement');
/** Objects outlive an execution: numbers of another one mean nothing. */
const EXECUTION = Symbol('execution that announced it');
/** Fields that explorers add to objects of core. */
export const NUMBER_FIELDS: readonly symbol[] = [NUMBER, EXECUTION];

interface Numbered {
  [NUMBER]?: number;
  [EXECUTION]?: number;
}

/** Executions so far, of all programs. */
let executions = 0;

/** Numbers for what steps announce, in the order in which they do: the same in every schedule with the same beginning. */
export class Numbers {
  private next = 0;
  private execution = 0;

  /** A new execution begins. */
  restart(): void {
    this.next = 0;
    this.execution = ++executions;
  }

  /** The number of what `step` is about. */
  of({ object }: Step): number {
    const numbered = object as Numbered;
    if (numbered[EXECUTION] !== this.execution) {
      numbered[EXECUTION] = this.execution;
      numbered[NUMBER] = ++this.next;
    }
    return numbered[NUMBER] as number;
  }
}
