import type { Op, RmapServices, RwSem } from '@rmap-lab/core';

const LOCKS = 64;

/** Locks shared by roots that hash alike: the author's answer to whoever misses the anon_vma lock (after folio_wait_table). */
export class LockTable {
  private readonly locks: RwSem[] = [];

  constructor(services: RmapServices) {
    for (let i = 0; i < LOCKS; i++) this.locks.push(services.rwsem('anon_vma_locks'));
  }

  /** The lock of a root. */
  of(root: number): RwSem {
    return this.locks[root % LOCKS];
  }

  write(root: number): Op<void> {
    return this.of(root).write();
  }

  writeUnlock(root: number): void {
    this.of(root).writeUnlock();
  }

  /** Walks that began before are over afterwards. */
  *waitForWalks(root: number): Op<void> {
    yield* this.write(root);
    this.writeUnlock(root);
  }
}
