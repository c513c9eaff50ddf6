import type { Machine } from '../machine.js';
import { finish, type Op, ready, run } from '../sync/op.js';
import type { Mm } from './mm.js';

/** A new, empty address space, known to the strategy (mm_init). @throws NoMemory, nothing left */
export function newMm(m: Machine): Op<Mm> {
  if (m.sync.stepping) return newStepping(m);
  const mm = begin(m, run(m.mmSlab.alloc()));
  try {
    if (m.rmap.mmInit !== undefined) finish(m.rmap.mmInit(mm));
  } catch (error) {
    freeMm(m, mm);
    throw error;
  }
  return ready(mm);
}

/** The same, giving way to others. */
function* newStepping(m: Machine): Op<Mm> {
  const mm = begin(m, yield* m.mmSlab.alloc());
  try {
    const work = m.rmap.mmInit?.(mm);
    if (work) yield* work;
  } catch (error) {
    freeMm(m, mm);
    throw error;
  }
  return mm;
}

function begin(m: Machine, mm: Mm): Mm {
  try {
    mm.init(m.newMmId());
  } catch (error) {
    m.mmSlab.free(mm);
    throw error;
  }
  m.mms.set(mm.id, mm);
  return mm;
}

/** Frees an address space without VMAs, unknown to the strategy. */
export function freeMm(m: Machine, mm: Mm): void {
  m.tables.free(mm.pgd);
  mm.pgd = 0;
  m.mms.delete(mm.id);
  m.ksm.mms.delete(mm.id);
  m.mmSlab.free(mm);
  m.sync.watch?.freed(m.sync.current, mm.vmas, 0, mm, ['mm_mt']);
}
