import { ContractViolation, SelfDeadlock } from '../errors.js';
import { LOCK_WORDS } from '../sync/counters.js';
import { type LockStats, mightSleep } from '../sync/lock.js';
import { type Op, READY } from '../sync/op.js';
import type { Sync } from '../sync/task.js';
import type { Folio } from '../units.js';
import { LOCKED, type MemMap } from './mem-map.js';

/** The lock bit of each folio (folio_lock): a sleeping lock. */
export class FolioLocks {
  /** They are bits of `mem_map`, which others share. */
  static readonly [LOCK_WORDS] = [];
  constructor(
    private readonly sync: Sync,
    private readonly mem: MemMap,
    readonly stats: LockStats,
  ) {}

  lock(folio: Folio): Op<void> {
    mightSleep(this.sync, this.stats.name);
    if (this.sync.stepping) return this.lockStepping(folio);
    if (!this.tryLock(folio, false)) throw new SelfDeadlock(this.stats.name, `folio ${folio} is locked`);
    return READY;
  }

  tryLock(folio: Folio, tried = true): boolean {
    if (this.isLocked(folio)) {
      this.stats.contended++;
      return false;
    }
    this.mem.flags[folio] |= LOCKED;
    this.stats.writes++;
    this.sync.current.held++;
    this.sync.watch?.acquired(this.sync.current, this.stats.name, this, folio, true, tried);
    return true;
  }

  /** A piece of a locked folio is born locked (__split_folio_to_order copies PG_locked). */
  inherit(folio: Folio): void {
    this.mem.flags[folio] |= LOCKED;
    this.sync.current.held++;
    this.sync.watch?.acquired(this.sync.current, this.stats.name, this, folio, true, true);
  }

  unlock(folio: Folio): void {
    if (!this.isLocked(folio)) throw new ContractViolation('R28', this.stats.name, 'unlock', `folio ${folio} is not locked`);
    this.mem.flags[folio] &= ~LOCKED;
    this.sync.current.held--;
    this.sync.watch?.released(this.sync.current, this, folio, true);
  }

  isLocked(folio: Folio): boolean {
    return (this.mem.flags[folio] & LOCKED) !== 0;
  }

  private *lockStepping(folio: Folio): Op<void> {
    yield { kind: 'lock', object: this, key: folio, label: `folio ${folio}`, enabled: () => !this.isLocked(folio) };
    this.tryLock(folio, false);
  }
}
