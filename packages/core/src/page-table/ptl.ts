import { type LockStats, Spinlock } from '../sync/lock.js';
import { type Op, READY } from '../sync/op.js';
import type { Sync } from '../sync/task.js';
import type { Table } from './page-table.js';

/** The lock of each leaf table. Sequentially it can only be counted: sections under it run to their end. */
export class PageTableLocks {
  private readonly locks = new Map<Table, Spinlock>();
  constructor(
    private readonly sync: Sync,
    readonly stats: LockStats,
  ) {}

  lock(table: Table): Op<void> {
    if (this.sync.stepping) return this.of(table).lock();
    this.stats.writes++;
    this.sync.current.atomic++;
    return READY;
  }

  unlock(table: Table): void {
    if (this.sync.stepping) this.of(table).unlock();
    else this.sync.current.atomic--;
  }

  private of(table: Table): Spinlock {
    let lock = this.locks.get(table);
    if (lock === undefined) {
      lock = new Spinlock(this.sync, this.stats);
      this.locks.set(table, lock);
    }
    return lock;
  }
}
