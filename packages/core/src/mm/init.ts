import type { Machine } from '../machine.js';
import type { Op } from '../sync/op.js';
import type { Mm } from './mm.js';

/** A new, empty address space, known to the strategy (mm_init). @throws NoMemory, nothing left */
export function* newMm(m: Machine): Op<Mm> {
  const mm = yield* m.mmSlab.alloc();
  try {
    mm.init(m.newMmId());
  } catch (error) {
    m.mmSlab.free(mm);
    throw error;
  }
  m.mms.set(mm.id, mm);
  try {
    const work = m.rmap.mmInit?.(mm);
    if (work) yield* work;
  } catch (error) {
    freeMm(m, mm);
    throw error;
  }
  return mm;
}

/** Frees an address space without VMAs, unknown to the strategy. */
export function freeMm(m: Machine, mm: Mm): void {
  m.tables.free(mm.pgd);
  m.mms.delete(mm.id);
  m.ksm.mms.delete(mm.id);
  m.mmSlab.free(mm);
}
