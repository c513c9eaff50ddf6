import { ANON } from '../folio/mem-map.js';
import type { FileMapping } from '../folio/page-cache.js';
import type { Machine } from '../machine.js';
import { ENTRIES, PAGES_PER_LEAF } from '../page-table/page-table.js';
import { kindOf, NONE, PRESENT, pfnOf } from '../page-table/pte.js';
import { pageOf, type Vpn } from '../units.js';
import type { VmArea } from '../vma/vma.js';
import { type Collapse, NOT_PRESENT, UNFIT } from './collapse-result.js';

/** Whether memory of a file can have large folios at all: its pages must lie as they do in the file (thp_vma_suitable_order). */
export const liesAsInFile = (vma: VmArea): boolean => (pageOf(vma.start) - vma.pgoff) % PAGES_PER_LEAF === 0;

/**
 * Collapses 512 pages of a file in memory, which changes nothing that page tables show of private memory: whether it can be done
 * (hpage_collapse_scan_file), and every entry is one of the file (collapse_pte_mapped_thp).
 */
export function collapseFile(m: Machine, vma: VmArea, vpn: Vpn): Collapse {
  const file = vma.file as FileMapping;
  const offset = vma.pgoff + (vpn - pageOf(vma.start));
  if (!file.collapsed.has(offset) && !hasPage(file, offset)) return UNFIT;
  file.collapsed.add(offset);
  return lookForOthers(m, vma, vpn);
}

function hasPage({ pages, sparse, sizeInPages }: FileMapping, offset: number): boolean {
  if (!sparse) return offset < sizeInPages;
  for (let page = offset; page < offset + PAGES_PER_LEAF; page++) if (pages.has(page)) return true;
  return false;
}

/** What is first in the way: nothing, an entry without a page, or one with a page of another's. */
function lookForOthers({ tables, mem }: Machine, vma: VmArea, vpn: Vpn): Collapse {
  const leaf = tables.leaf(vma.mm.pgd, vpn);
  if (leaf === 0) return 'done';
  for (let at = leaf * ENTRIES; at < (leaf + 1) * ENTRIES; at++) {
    const pte = tables.entries[at];
    if (pte !== NONE && kindOf(pte) !== PRESENT) return NOT_PRESENT;
    if (pte !== NONE && (mem.flags[pfnOf(pte)] & ANON) !== 0) return UNFIT;
  }
  return 'done';
}
