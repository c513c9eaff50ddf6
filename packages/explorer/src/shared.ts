import type { Op, Step } from '@rmap-lab/core';

/** A shared word. Loads and stores are steps. */
export class Register {
  readonly loading: Step;
  readonly storing: Step;
  constructor(
    label: string,
    public value = 0,
  ) {
    this.loading = { kind: 'load', object: this, label };
    this.storing = { kind: 'store', object: this, label };
  }

  /** The value, in one step. */
  *load(): Op<number> {
    yield this.loading;
    return this.value;
  }

  /** Sets the value, in one step. */
  *store(value: number): Op<void> {
    yield this.storing;
    this.value = value;
  }

  /** Adds in one step; the value before. */
  *add(n: number): Op<number> {
    yield this.storing;
    const before = this.value;
    this.value += n;
    return before;
  }
}

/** A lock for one thread, or for several that read. Locking, unlocking and trying are steps. */
export class Lock {
  readonly locking: Step;
  readonly readLocking: Step;
  readonly unlocking: Step;
  readonly readUnlocking: Step;
  readonly trying: Step;
  writer = false;
  readers = 0;
  constructor(label: string) {
    const free = () => !this.writer && this.readers === 0;
    const unwritten = () => !this.writer;
    this.locking = { kind: 'lock', object: this, label, enabled: free };
    this.readLocking = { kind: 'lock', object: this, label, shared: true, enabled: unwritten };
    this.unlocking = { kind: 'unlock', object: this, label };
    this.readUnlocking = { kind: 'unlock', object: this, label, shared: true };
    this.trying = { kind: 'try', object: this, label, fails: () => !free() };
  }

  /** Waits until nobody holds it, and takes it to write. */
  *lock(): Op<void> {
    yield this.locking;
    this.writer = true;
  }

  /** Gives up the writer's hold. */
  *unlock(): Op<void> {
    yield this.unlocking;
    this.writer = false;
  }

  /** Waits until nobody writes, and joins the readers. */
  *readLock(): Op<void> {
    yield this.readLocking;
    this.readers++;
  }

  /** Leaves the readers. */
  *readUnlock(): Op<void> {
    yield this.readUnlocking;
    this.readers--;
  }

  /** Takes it to write if it is free now; whether it did. */
  *tryLock(): Op<boolean> {
    yield this.trying;
    if (this.writer || this.readers > 0) return false;
    this.writer = true;
    return true;
  }
}
