import { Deadlock, KernelError, Leak, SegmentationFault } from '../errors.js';
import type { Kernel } from '../kernel.js';
import type { Op, Step } from './op.js';
import { Task } from './task.js';

/** How one thread of an interleaving ended: its result, or the error the kernel answered. */
export type ThreadEnd = { readonly value: unknown } | { readonly error: KernelError | SegmentationFault };

interface Thread {
  readonly task: Task;
  readonly op: Op<unknown>;
  pending: Step | null;
  end: ThreadEnd | null;
}

/**
 * Runs operations of a stepping kernel concurrently: at each turn `choose(n)` picks one of the n threads that can go on, which
 * then runs to its next step. @throws Deadlock when none can, Leak when one ends with a lock; errors of the model pass through
 */
export function interleave(
  kernel: Kernel,
  threads: Readonly<Record<string, Op<unknown>>>,
  choose: (n: number) => number,
): Readonly<Record<string, ThreadEnd>> {
  const all: Thread[] = Object.entries(threads).map(([name, op], i) => ({
    task: new Task(i + 1, name),
    op,
    pending: null,
    end: null,
  }));
  const main = new Task(0, 'main');
  try {
    for (;;) {
      const live = all.filter((thread) => thread.end === null);
      if (live.length === 0) break;
      const ready = live.filter((thread) => thread.pending?.enabled?.() !== false);
      if (ready.length === 0)
        throw new Deadlock(live.map(({ task, pending }) => `${task.name} waits for ${pending?.label}`).join('; '));
      const thread = ready[choose(ready.length)];
      kernel.schedule(thread.task);
      advance(thread);
    }
  } finally {
    kernel.schedule(main);
  }
  kernel.runDeferred();
  return Object.fromEntries(all.map(({ task, end }) => [task.name, end as ThreadEnd]));
}

function advance(thread: Thread): void {
  try {
    const turn = thread.op.next();
    if (!turn.done) {
      thread.pending = turn.value;
      return;
    }
    thread.end = { value: turn.value };
  } catch (error) {
    if (!(error instanceof KernelError || error instanceof SegmentationFault)) throw error;
    thread.end = { error };
  }
  const { held, name } = thread.task;
  if (held !== 0) throw new Leak('lock', `thread ${name} ended with ${held} lock(s) held`);
}
