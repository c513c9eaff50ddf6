import { ContractViolation, SelfDeadlock } from '../errors.js';
import { type LockStats, mightSleep } from '../sync/lock.js';
import { type Op, READY } from '../sync/op.js';
import type { Sync } from '../sync/task.js';
import type { Folio } from '../units.js';
import { LOCKED, type MemMap } from './mem-map.js';

/** The lock bit of each folio (folio_lock): a sleeping lock. */
export class FolioLocks {
  constructor(
    private readonly sync: Sync,
    private readonly mem: MemMap,
    readonly stats: LockStats,
  ) {}

  lock(folio: Folio): Op<void> {
    mightSleep(this.sync, this.stats.name);
    if (this.sync.stepping) return this.lockStepping(folio);
    if (!this.tryLock(folio)) throw new SelfDeadlock(this.stats.name, `folio ${folio} is locked`);
    return READY;
  }

  tryLock(folio: Folio): boolean {
    if (this.isLocked(folio)) {
      this.stats.contended++;
      return false;
    }
    this.mem.flags[folio] |= LOCKED;
    this.stats.writes++;
    this.sync.current.held++;
    return true;
  }

  unlock(folio: Folio): void {
    if (!this.isLocked(folio)) throw new ContractViolation('R28', this.stats.name, 'unlock', `folio ${folio} is not locked`);
    this.mem.flags[folio] &= ~LOCKED;
    this.sync.current.held--;
  }

  isLocked(folio: Folio): boolean {
    return (this.mem.flags[folio] & LOCKED) !== 0;
  }

  private *lockStepping(folio: Folio): Op<void> {
    yield { kind: 'lock', object: this, label: `folio ${folio}`, enabled: () => !this.isLocked(folio) };
    this.tryLock(folio);
  }
}
