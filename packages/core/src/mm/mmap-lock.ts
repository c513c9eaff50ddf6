import type { Machine } from '../machine.js';
import { finish, type Op, ready, run } from '../sync/op.js';
import type { Mm } from './mm.js';

/** `body` with mmap_lock held for writing. */
export function writeLocked<T>(m: Machine, mm: Mm, body: () => Op<T>): Op<T> {
  if (m.sync.stepping) return writeLockedStepping(mm, body);
  finish(mm.mmapLock.write());
  try {
    return ready(run(body()));
  } finally {
    mm.writeUnlock();
  }
}

/** The same, giving way to others. */
function* writeLockedStepping<T>(mm: Mm, body: () => Op<T>): Op<T> {
  yield* mm.mmapLock.write();
  try {
    return yield* body();
  } finally {
    mm.writeUnlock();
  }
}
