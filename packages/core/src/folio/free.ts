import { ContractViolation } from '../errors.js';
import type { Machine } from '../machine.js';
import type { Op } from '../sync/op.js';
import type { Folio, Pfn } from '../units.js';
import { isLarge, totalMapcount } from './mapcount.js';
import { ANON, KSM } from './mem-map.js';

/** Drops one reference of a folio, given its first page; the last one frees it, and the strategy forgets an anonymous folio's anchor (folio_put). */
export function* putPage(m: Machine, pfn: Pfn): Op<void> {
  const { mem } = m;
  if (--mem.refcount[pfn] > 0) return;
  const mappings = totalMapcount(mem, pfn as number as Folio);
  if (mappings !== 0) {
    throw new ContractViolation('R31', 'folio_put', 'free', `page ${pfn} is freed while ${mappings} entries map it`);
  }
  const isKsm = (mem.flags[pfn] & KSM) !== 0;
  if (isKsm) m.ksm.forget(pfn, mem.version[pfn]);
  // A KSM page gave its anchor up when it became one.
  if ((mem.flags[pfn] & ANON) !== 0 && !(isKsm && m.ksmByAnchors)) {
    const work = m.rmap.drop?.(pfn as number as Folio);
    if (work) yield* work;
  }
  if (!isLarge(mem, pfn)) {
    mem.free(pfn);
    return;
  }
  m.deferredSplit.delete(pfn as number as Folio);
  mem.freeLarge(pfn as number as Folio);
}
