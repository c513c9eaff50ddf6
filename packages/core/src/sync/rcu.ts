import { ContractViolation } from '../errors.js';
import { mightSleep } from './lock.js';
import { type Op, READY } from './op.js';
import type { Sync, Task } from './task.js';

interface Callback {
  /** Read sections that were open when the callback was queued and still are. */
  readonly waitsFor: Set<Task>;
  readonly run: () => void;
  over: boolean;
}

/** Read-copy-update: what is freed through it stays until every read section that was open then has ended. */
export class Rcu {
  private readonly readers = new Set<Task>();
  private callbacks: Callback[] = [];
  constructor(private readonly sync: Sync) {}

  readLock(): void {
    const task = this.sync.current;
    if (task.rcuDepth++ === 0) this.readers.add(task);
  }

  readUnlock(): void {
    const task = this.sync.current;
    if (task.rcuDepth === 0) throw new ContractViolation('R30', 'rcu', 'readUnlock', 'no read section is open');
    if (--task.rcuDepth > 0) return;
    this.readers.delete(task);
    this.sync.watch?.readEnded(task, this);
    if (this.callbacks.length === 0) return;
    const queued = this.callbacks;
    this.callbacks = [];
    for (const callback of queued) {
      callback.waitsFor.delete(task);
      if (callback.waitsFor.size === 0) {
        callback.over = true;
        callback.run();
      } else this.callbacks.push(callback);
    }
  }

  /** No read section is open: there is nothing to wait for. */
  get idle(): boolean {
    return this.readers.size === 0;
  }

  /** Runs `run` after a grace period; at once when no read section is open (call_rcu). */
  call(run: () => void): void {
    if (this.idle) run();
    else this.queue(run);
  }

  /** Waits for a grace period (synchronize_rcu). */
  synchronize(): Op<void> {
    mightSleep(this.sync, 'synchronize_rcu');
    if (!this.idle || this.sync.stepping) return this.wait();
    this.sync.watch?.graceEnded(this.sync.current, this);
    return READY;
  }

  private *wait(): Op<void> {
    const task = this.sync.current;
    // Told when it is over, not when the task goes on: sections that begin later and end meanwhile come before nothing.
    const ended = (): void => this.sync.watch?.graceEnded(task, this);
    const period = this.idle ? null : this.queue(ended);
    if (period === null) ended();
    yield { kind: 'rcu', object: this, label: 'synchronize', enabled: () => period === null || period.over };
  }

  private queue(run: () => void): Callback {
    const callback = { waitsFor: new Set(this.readers), run, over: false };
    this.callbacks.push(callback);
    return callback;
  }
}
