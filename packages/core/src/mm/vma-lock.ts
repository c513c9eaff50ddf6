import type { Machine } from '../machine.js';
import { type Op, READY } from '../sync/op.js';
import type { VmArea } from '../vma/vma.js';

/** Write-locks `vma` until mmap_lock, held for writing, is released (vma_start_write). */
export function startWrite(m: Machine, vma: VmArea): Op<void> {
  if (vma.writeLocked) return READY;
  m.vmaLock.writes++;
  if (vma.readers > 0 && m.migrations.size > 0) return waitForMigrations(m, vma);
  return m.sync.stepping ? startWriteStepping(m, vma) : READY;
}

/** A strategy may keep VMAs read-locked for as long as a migration lasts. One that was left under way ends when somebody waits for it. */
function* waitForMigrations(m: Machine, vma: VmArea): Op<void> {
  yield* m.endMigrations();
  if (m.sync.stepping) yield* startWriteStepping(m, vma);
}

function* startWriteStepping(m: Machine, vma: VmArea): Op<void> {
  yield { kind: 'lock', object: vma, label: 'vma', enabled: () => vma.readers === 0 };
  vma.writeLocked = true;
  vma.mm.writeLocked.push(vma);
  m.sync.watch?.acquired(m.sync.current, 'vma', vma, 0, true, false);
}

/** Read-locks `vma` if nobody writes it (vma_start_read). */
export function tryReadLock(m: Machine, vma: VmArea): boolean {
  if (vma.writeLocked) {
    m.vmaLock.contended++;
    return false;
  }
  m.vmaLock.reads++;
  m.sync.current.held++;
  vma.readers++;
  m.sync.watch?.acquired(m.sync.current, 'vma', vma, 0, false, true);
  return true;
}

export function readUnlock(m: Machine, vma: VmArea): void {
  m.sync.current.held--;
  vma.readers--;
  m.sync.watch?.released(m.sync.current, vma, 0, false);
}
