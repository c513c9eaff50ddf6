import { ContractViolation, SelfDeadlock, SleepWhileAtomic } from '../errors.js';
import type { RwSem, SpinLock } from '../rmap/contract.js';
import { COUNTERS, LOCK_WORDS } from './counters.js';
import { type Op, READY, type Step } from './op.js';
import type { Sync, Task } from './task.js';

/** Acquisitions of all locks of one class. */
export class LockStats {
  static readonly [COUNTERS] = ['reads', 'writes', 'contended', 'savedReads', 'savedWrites', 'savedContended'];
  reads = 0;
  writes = 0;
  /** Failed attempts of `tryRead` and `tryWrite`. */
  contended = 0;
  private savedReads = 0;
  private savedWrites = 0;
  private savedContended = 0;
  constructor(readonly name: string) {}

  save(): void {
    this.savedReads = this.reads;
    this.savedWrites = this.writes;
    this.savedContended = this.contended;
  }

  /** Forgets what was counted since {@link save}, or, made since, at all. */
  restore(): void {
    this.reads = this.savedReads;
    this.writes = this.savedWrites;
    this.contended = this.savedContended;
  }
}

/** Refuses to sleep under a spinlock or in an RCU section (might_sleep). @param why what is done to `what`, in words before it */
export function mightSleep(sync: Sync, what: string, why = ''): void {
  const task = sync.current;
  if (task.atomic !== 0) throw new SleepWhileAtomic(why + what, `task ${task.name} holds ${task.atomic} spinlock(s)`);
  if (task.rcuDepth !== 0) throw new SleepWhileAtomic(why + what, `task ${task.name} is inside an RCU read section`, 'R30');
}

/** What is easily forgotten: step by step, a lock that is asked for and not waited for is not taken. */
const TAKEN = ' (was it taken with `yield*`?)';

/** A reader-writer semaphore (rw_semaphore): many readers or one writer; waiting sleeps. */
export class RwSemaphore implements RwSem {
  static readonly [LOCK_WORDS] = ['readers', 'writer'];
  private readers = 0;
  private writer: Task | null = null;
  constructor(
    private readonly sync: Sync,
    private readonly stats: LockStats,
  ) {}

  read(): Op<void> {
    mightSleep(this.sync, this.stats.name);
    if (this.sync.stepping) return this.readStepping();
    if (this.writer !== null) throw new SelfDeadlock(this.stats.name, 'read while write-locked');
    this.gotRead();
    return READY;
  }

  write(): Op<void> {
    mightSleep(this.sync, this.stats.name);
    if (this.sync.stepping) return this.writeStepping();
    if (!this.free) throw new SelfDeadlock(this.stats.name, 'write while locked');
    this.gotWrite();
    return READY;
  }

  drain(): Op<void> {
    mightSleep(this.sync, this.stats.name);
    if (this.sync.stepping) return this.drainStepping();
    if (!this.free) throw new SelfDeadlock(this.stats.name, 'drain while locked');
    return READY;
  }

  tryRead(): boolean {
    if (this.writer !== null) {
      this.stats.contended++;
      return false;
    }
    this.gotRead(true);
    return true;
  }

  tryWrite(): boolean {
    if (!this.free) {
      this.stats.contended++;
      return false;
    }
    this.gotWrite(true);
    return true;
  }

  readUnlock(): void {
    const { readers } = this;
    if (readers === 0)
      throw new ContractViolation('R28', this.stats.name, 'readUnlock', `the lock is not held for reading${TAKEN}`);
    this.readers = readers - 1;
    this.sync.current.held--;
    this.sync.watch?.released(this.sync.current, this, 0, false);
  }

  writeUnlock(): void {
    if (this.writer !== this.sync.current) {
      throw new ContractViolation('R28', this.stats.name, 'writeUnlock', `the lock is not held for writing by this task${TAKEN}`);
    }
    this.writer = null;
    this.sync.current.held--;
    this.sync.watch?.released(this.sync.current, this, 0, true);
  }

  /** Whether anybody holds it for writing. */
  get writeLocked(): boolean {
    return this.writer !== null;
  }

  /** Whether nobody holds it. */
  get free(): boolean {
    return this.writer === null && this.readers === 0;
  }

  private *readStepping(): Op<void> {
    yield new ReadLocking(this, this.stats.name);
    this.gotRead();
  }

  private *writeStepping(): Op<void> {
    yield new WriteLocking(this, this.stats.name);
    this.gotWrite();
  }

  private *drainStepping(): Op<void> {
    yield* this.writeStepping();
    this.writeUnlock();
  }

  private gotRead(tried = false): void {
    this.readers++;
    this.stats.reads++;
    this.sync.current.held++;
    this.sync.watch?.acquired(this.sync.current, this.stats.name, this, 0, false, tried);
  }

  private gotWrite(tried = false): void {
    this.writer = this.sync.current;
    this.stats.writes++;
    this.sync.current.held++;
    this.sync.watch?.acquired(this.sync.current, this.stats.name, this, 0, true, tried);
  }
}

/** A spinlock: its holder may not sleep. */
export class Spinlock implements SpinLock {
  static readonly [LOCK_WORDS] = ['owner'];
  private owner: Task | null = null;
  constructor(
    private readonly sync: Sync,
    private readonly stats: LockStats,
  ) {}

  lock(): Op<void> {
    if (this.sync.stepping) return this.lockStepping();
    if (this.owner !== null) throw new SelfDeadlock(this.stats.name, 'lock while locked');
    this.got();
    return READY;
  }

  tryLock(): boolean {
    if (this.owner !== null) {
      this.stats.contended++;
      return false;
    }
    this.got(true);
    return true;
  }

  unlock(): void {
    if (this.owner !== this.sync.current) {
      throw new ContractViolation('R28', this.stats.name, 'unlock', `the lock is not held by this task${TAKEN}`);
    }
    this.owner = null;
    this.sync.current.atomic--;
    this.sync.current.held--;
    this.sync.watch?.released(this.sync.current, this, 0, true);
  }

  /** Whether anybody holds it. */
  get locked(): boolean {
    return this.owner !== null;
  }

  private *lockStepping(): Op<void> {
    yield new SpinLocking(this, this.stats.name);
    this.got();
  }

  private got(tried = false): void {
    this.owner = this.sync.current;
    this.stats.writes++;
    this.sync.current.atomic++;
    this.sync.current.held++;
    this.sync.watch?.acquired(this.sync.current, this.stats.name, this, 0, true, tried);
  }
}

/** The step that waits for a lock. A class each, as closures would cost more than all else about it. */
class ReadLocking implements Step {
  readonly kind = 'lock';
  readonly shared = true;
  constructor(
    readonly object: RwSemaphore,
    readonly label: string,
  ) {}
  enabled(): boolean {
    return !this.object.writeLocked;
  }
}

class WriteLocking implements Step {
  readonly kind = 'lock';
  constructor(
    readonly object: RwSemaphore,
    readonly label: string,
  ) {}
  enabled(): boolean {
    return this.object.free;
  }
}

class SpinLocking implements Step {
  readonly kind = 'lock';
  constructor(
    readonly object: Spinlock,
    readonly label: string,
  ) {}
  enabled(): boolean {
    return !this.object.locked;
  }
}
