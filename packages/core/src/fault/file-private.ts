import { SegmentationFault } from '../errors.js';
import { putPage } from '../folio/free.js';
import { FILE, DIRTY as PAGE_DIRTY } from '../folio/mem-map.js';
import type { FileMapping } from '../folio/page-cache.js';
import type { Machine } from '../machine.js';
import { ENTRIES } from '../page-table/page-table.js';
import { DIRTY, makePte, NONE, PRESENT, WRITE, YOUNG } from '../page-table/pte.js';
import { sameEntry } from '../page-table/same-entry.js';
import type { Op } from '../sync/op.js';
import { type Address, PAGE_SIZE, type Pfn, pageOf } from '../units.js';
import { VM_WRITE } from '../vma/vm-flags.js';
import type { VmArea } from '../vma/vma.js';
import { mapNewPage, reserveOne } from './anonymous.js';
import { type FaultOutcome, prepareFault } from './prepare.js';

/** First touch of file memory: the file's page, or for a write to private memory at once a copy of it (do_fault). @throws SIGBUS behind the end; NoMemory */
export function* filePage(m: Machine, vma: VmArea, address: Address, write: boolean, underMmapLock: boolean): Op<FaultOutcome> {
  const file = vma.file as FileMapping;
  const offset = vma.pgoff + (address - vma.start) / PAGE_SIZE;
  const cow = write && !vma.shared;
  if (cow && !(yield* prepareFault(m, vma, underMmapLock))) return 'retry';
  if (offset >= file.sizeInPages) {
    throw new SegmentationFault(
      'SIGBUS',
      write ? 'write' : 'read',
      address,
      `page ${offset} is behind the end of ${file.name} (${file.sizeInPages} pages)`,
    );
  }
  const vpn = pageOf(address);
  const leaf = m.tables.allocLeaf(vma.mm.pgd, vpn);
  const at = leaf * ENTRIES + (vpn & (ENTRIES - 1));
  if (cow) yield* reserveOne(m);
  const cached = cachedPage(m, file, offset);
  const pfn = cow ? m.mem.alloc() : cached;
  yield* m.ptl.lock(leaf);
  if (!sameEntry(m, vma.mm, vpn, leaf, NONE)) {
    m.ptl.unlock(leaf);
    if (cow) yield* putPage(m, pfn);
    return 'done';
  }
  if (cow) {
    m.mem.version[pfn] = m.mem.version[cached];
    yield* mapNewPage(m, vma, address, pfn, at);
  } else {
    m.mem.mapcount[pfn]++;
    m.mem.refcount[pfn]++;
    const writable = vma.shared && (vma.flags & VM_WRITE) !== 0;
    m.tables.write(at)[at] = makePte(PRESENT, pfn, YOUNG | (writable ? WRITE : 0) | (write ? DIRTY : 0));
  }
  m.ptl.unlock(leaf);
  return 'done';
}

/** The page cache's page at `offset`, read in at first use; the cache holds one reference. @throws NoMemory */
function cachedPage(m: Machine, file: FileMapping, offset: number): Pfn {
  const cached = file.pages.get(offset);
  if (cached !== undefined) return cached;
  const pfn = m.mem.alloc();
  m.mem.flags[pfn] = FILE | PAGE_DIRTY;
  m.mem.anchor[pfn] = file.id;
  m.mem.index[pfn] = offset;
  m.mem.version[pfn] = ++m.writes; // no other page has the contents of this one
  file.pages.set(offset, pfn);
  return pfn;
}
