import { ANON } from '../folio/mem-map.js';
import type { FileMapping } from '../folio/page-cache.js';
import type { Machine } from '../machine.js';
import { ENTRIES, PAGES_PER_LEAF } from '../page-table/page-table.js';
import { kindOf, NONE, PRESENT, pfnOf } from '../page-table/pte.js';
import { pageOf, type Vpn } from '../units.js';
import type { VmArea } from '../vma/vma.js';

/** Whether memory of a file can have large folios at all: its pages must lie as they do in the file (thp_vma_suitable_order). */
export const liesAsInFile = (vma: VmArea): boolean => (pageOf(vma.start) - vma.pgoff) % PAGES_PER_LEAF === 0;

/**
 * Collapses 512 pages of a file in memory, which changes nothing that page tables show of private memory: whether it can be done
 * (hpage_collapse_scan_file). Once they are one folio every entry must be one of the file (collapse_pte_mapped_thp).
 */
export function collapseFile(m: Machine, vma: VmArea, vpn: Vpn): 'done' | 'EINVAL' {
  const file = vma.file as FileMapping;
  const offset = vma.pgoff + (vpn - pageOf(vma.start));
  if (file.collapsed.has(offset)) return showsOnlyTheFile(m, vma, vpn) ? 'done' : 'EINVAL';
  if (!hasPage(file, offset)) return 'EINVAL';
  file.collapsed.add(offset);
  return 'done';
}

function hasPage({ pages, sparse, sizeInPages }: FileMapping, offset: number): boolean {
  if (!sparse) return offset < sizeInPages;
  for (let page = offset; page < offset + PAGES_PER_LEAF; page++) if (pages.has(page)) return true;
  return false;
}

function showsOnlyTheFile({ tables, mem }: Machine, vma: VmArea, vpn: Vpn): boolean {
  const leaf = tables.leaf(vma.mm.pgd, vpn);
  if (leaf === 0) return true;
  for (let at = leaf * ENTRIES; at < (leaf + 1) * ENTRIES; at++) {
    const pte = tables.entries[at];
    if (pte !== NONE && (kindOf(pte) !== PRESENT || (mem.flags[pfnOf(pte)] & ANON) !== 0)) return false;
  }
  return true;
}
