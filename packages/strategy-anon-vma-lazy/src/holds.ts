import type { RmapHold, RwSem, Vma } from '@rmap-lab/core';

/** What a walk that starts from a root has: a reference on it and, by the options, locks. In the kernel this lives on the caller's stack. */
export class LazyHold {
  root!: Vma;
  /** The anchor that led here. */
  anchor = 0;
  /** VMAs read-locked. */
  readonly locked: Vma[] = [];
  /** The lock of the table, and how it is held. */
  lock: RwSem | null = null;
  exclusive = false;
  /** KSM's: for whatever is or was mapped in the family, wherever it went. */
  pin = false;
}

/** Numbers of holds from here on are ours. */
const FIRST = 2 ** 40;

/** Whether a hold is one of ours. */
export const isLazyHold = (hold: RmapHold): boolean => hold >= FIRST;

/** All holds, by their numbers. */
export class Holds {
  private readonly slots: LazyHold[] = [];
  private readonly free: number[] = [];

  /** A hold on `root`. */
  make(root: Vma, anchor: number): RmapHold {
    const slot = this.free.pop() ?? this.slots.push(new LazyHold()) - 1;
    this.slots[slot].root = root;
    this.slots[slot].anchor = anchor;
    return FIRST + slot;
  }

  of(hold: RmapHold): LazyHold {
    return this.slots[hold - FIRST];
  }

  drop(hold: RmapHold): void {
    this.free.push(hold - FIRST);
  }
}
