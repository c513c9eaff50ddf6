import { Execution } from './execution.js';
import { finishAs } from './minimise.js';
import { Numbers } from './numbers.js';
import type { Program } from './program.js';
import type { RecordedStep, Recording } from './recording.js';

/** Two steps of different threads, by number, of which the second would have to come first: then nothing is broken. Or a data race. */
export interface Cause {
  readonly first: number;
  readonly second: number;
  /** The class of a lock that one of the two threads holds there and the other doesn't: if both did, one would wait for the other. */
  readonly lock: string | null;
}

/** The latest two racing steps of a failing schedule whose order makes the difference; null: no two do. */
export function causeOf(program: Program, { steps, racing }: Recording): Cause | null {
  if (racing !== null) {
    const [first, second] = racing;
    return { first, second, lock: lockFor(steps[first], steps[second]) };
  }
  const choices = steps.map(({ thread }) => thread);
  // What steps announce says more to people than the fields that they access on the way.
  for (const kind of ['races', 'fieldRaces'] as const)
    for (let second = steps.length - 1; second > 0; second--)
      for (const first of [...steps[second][kind]].sort((a, b) => b - a))
        if (passesReversed(program, choices, first, second)) return { first, second, lock: lockFor(steps[first], steps[second]) };
  return null;
}

/** Whether all is well when one thread waits before its step `first` until the other has made `second` and all that it does then. */
function passesReversed(program: Program, choices: readonly number[], first: number, second: number): boolean {
  const between = choices.slice(first, second + 1).filter((thread) => thread !== choices[first]);
  const run = new Execution(program, new Numbers());
  for (const thread of [...choices.slice(0, first), ...between]) {
    if ((run.enabled() & (1 << thread)) === 0) return false;
    run.step(thread);
  }
  return finishAs(run, [], choices[second]).error === null;
}

/** Core's classes, the most fitting first; those of a design fit better still. */
const CORE = ['vma', 'mmap_lock', 'i_mmap', 'folio', 'ptl'];

function lockFor(first: RecordedStep, second: RecordedStep): string | null {
  const classes = ({ held }: RecordedStep): readonly string[] => held.map((lock) => lock.split(' ')[0]);
  const [a, b] = [classes(first), classes(second)];
  const one = [...a, ...b].filter((lock) => a.includes(lock) !== b.includes(lock));
  return one.find((lock) => !CORE.includes(lock)) ?? CORE.find((lock) => one.includes(lock)) ?? null;
}
