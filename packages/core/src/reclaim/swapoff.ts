import { NoMemory } from '../errors.js';
import { addAnonRmap, fitsAsItIs, mapCopy, readIn } from '../fault/swap-in.js';
import { putPage } from '../folio/free.js';
import type { Machine } from '../machine.js';
import { ENTRIES, type Table } from '../page-table/page-table.js';
import { EXCLUSIVE, kindOf, makePte, PRESENT, payloadOf, SWAP } from '../page-table/pte.js';
import { sameEntry } from '../page-table/same-entry.js';
import type { Op } from '../sync/op.js';
import { type Address, addressOf, type Pfn, pageOf, type Vpn } from '../units.js';
import type { VmArea } from '../vma/vma.js';
import { freeSwap } from './swap.js';

/** Brings every page back, by a scan of all address spaces, not by reverse mapping (try_to_unuse). @throws NoMemory */
export function* swapOff(m: Machine): Op<void> {
  const { tables } = m;
  for (const mm of [...m.mms.values()]) {
    yield* mm.mmapLock.read();
    try {
      for (const vma of mm.tree) {
        const last = pageOf(vma.end);
        let vpn = tables.nextLeaf(mm.pgd, pageOf(vma.start), last);
        for (; vpn < last; vpn = tables.nextLeaf(mm.pgd, (vpn + 1) as Vpn, last)) {
          const leaf = tables.leaf(mm.pgd, vpn);
          if (leaf !== 0 && kindOf(tables.entries[leaf * ENTRIES + (vpn & (ENTRIES - 1))]) === SWAP)
            yield* unuse(m, vma, addressOf(vpn), leaf);
        }
      }
    } finally {
      mm.mmapLock.readUnlock();
    }
  }
  for (const folio of [...m.swap.slots.keys()]) {
    if (!m.folioLock.tryLock(folio)) continue;
    m.mem.refcount[folio]++;
    freeSwap(m, folio);
    m.folioLock.unlock(folio);
    yield* putPage(m, folio as number as Pfn);
  }
}

/** One entry (unuse_pte): mapped read-only and old, exclusive if the entry says so. @throws NoMemory */
function* unuse(m: Machine, vma: VmArea, address: Address, leaf: Table): Op<void> {
  const { mem, swap, tables } = m;
  const at = leaf * ENTRIES + (pageOf(address) & (ENTRIES - 1));
  const seen = tables.entries[at];
  const slot = payloadOf(seen);
  if (swap.isRead(slot)) {
    yield { kind: 'wait', object: swap, label: `swap slot ${slot}`, enabled: () => !swap.isRead(slot) };
    if (sameEntry(m, vma.mm, pageOf(address), leaf, seen)) yield* unuse(m, vma, address, leaf);
    return;
  }
  if (m.rmap.reserve) {
    const work = m.rmap.reserve(1);
    if (work) yield* work;
  }
  const cached = swap.cache.get(slot);
  const page = cached ?? readIn(m, slot);
  const folio = mem.folioOf(page);
  if (cached !== undefined) mem.refcount[folio]++;
  try {
    if (!m.folioLock.tryLock(folio)) throw new NoMemory('swapoff: a folio is locked');
    try {
      if (!fitsAsItIs(m, vma, address, page)) {
        yield* mapCopy(m, vma, address, leaf, at, seen, page, 0);
        return;
      }
      yield* m.ptl.lock(leaf);
      if (tables.entries[at] === seen) {
        swap.counts[slot]--;
        mem.refcount[folio]++;
        yield* addAnonRmap(m, vma, address, page, (seen & EXCLUSIVE) !== 0);
        tables.write(at)[at] = makePte(PRESENT, page, 0);
      }
      m.ptl.unlock(leaf);
    } finally {
      m.folioLock.unlock(folio);
    }
  } finally {
    yield* putPage(m, folio as number as Pfn);
  }
}
