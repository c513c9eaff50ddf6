import { LOCK_WORDS, type Op, type Step } from '@rmap-lab/core';

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

  /** Waits until the value is what is wished for. */
  *until(wished: (value: number) => boolean): Op<void> {
    yield { kind: 'wait', object: this, label: this.loading.label, enabled: () => wished(this.value) };
  }

  /** Adds in one step; the value before. */
  *add(n: number): Op<number> {
    yield this.storing;
    const before = this.value;
    this.value += n;
    return before;
  }
}

/** Waits for a lock. Closures would cost more than the rest of it. */
class Locking implements Step {
  readonly kind = 'lock';
  constructor(
    readonly object: Lock,
    readonly label: string,
    readonly shared: boolean,
  ) {}
  enabled(): boolean {
    return !this.object.writer && (this.shared || this.object.readers === 0);
  }
}

/** Tries to take a lock. */
class Trying implements Step {
  readonly kind = 'try';
  constructor(
    readonly object: Lock,
    readonly label: string,
  ) {}
  fails(): boolean {
    return this.object.writer || this.object.readers > 0;
  }
}

/** A lock for one thread, or for several that read. Locking, unlocking and trying are steps. */
export class Lock {
  static readonly [LOCK_WORDS] = ['writer', 'readers'];
  readonly locking: Step;
  readonly readLocking: Step;
  readonly unlocking: Step;
  readonly readUnlocking: Step;
  readonly trying: Step;
  writer = false;
  readers = 0;
  constructor(label: string) {
    this.locking = new Locking(this, label, false);
    this.readLocking = new Locking(this, label, true);
    this.unlocking = { kind: 'unlock', object: this, label };
    this.readUnlocking = { kind: 'unlock', object: this, label, shared: true };
    this.trying = new Trying(this, label);
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

/** Read-copy-update: sections of readers, and grace periods that wait for those that were open. */
export class Rcu {
  readonly entering: Step;
  readonly leaving: Step;
  readonly asking: Step;
  readonly ending: Step;
  /** Numbers of the sections that are open, and of the first that each callback need not wait for. */
  readonly open: number[] = [];
  readonly queue: number[] = [];
  private next = 0;
  constructor(label: string) {
    this.entering = { kind: 'lock', object: this, label, shared: true };
    this.leaving = { kind: 'unlock', object: this, label, shared: true };
    this.asking = { kind: 'rcu', object: this, label: 'call_rcu' };
    this.ending = { kind: 'rcu', object: this, label: 'end of grace period', enabled: () => this.over(this.queue[0] ?? -1) };
  }

  /** Runs `body` in a read section; entering and leaving it are steps. */
  *read<T>(body: () => Op<T>): Op<T> {
    yield this.entering;
    const section = this.next++;
    this.open.push(section);
    const result = yield* body();
    yield this.leaving;
    this.open.splice(this.open.indexOf(section), 1);
    return result;
  }

  /** Waits until all sections have ended that are open at the first of its two steps (synchronize_rcu). */
  *synchronize(): Op<void> {
    yield this.asking;
    const { next } = this;
    yield { kind: 'rcu', object: this, label: 'synchronize', enabled: () => this.over(next) };
  }

  /** Asks for a callback after a grace period (call_rcu): whoever waits in {@link gracePeriod} may go on then, soon or late. */
  *call(): Op<void> {
    yield this.asking;
    this.queue.push(this.next);
  }

  /** Waits until the grace period of a callback is over: for a thread that does what the callback does. */
  *gracePeriod(): Op<void> {
    yield this.ending;
    this.queue.shift();
  }

  /** Whether every section before the `next`-th has ended. */
  private over(next: number): boolean {
    return next >= 0 && this.open.every((section) => section >= next);
  }
}
