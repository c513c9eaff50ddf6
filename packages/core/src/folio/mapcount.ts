import type { Folio, Pfn } from '../units.js';
import { LARGE, MAYBE_SHARED, type MemMap } from './mem-map.js';

/*
 * The counters of a large folio live in columns that its tail pages do not need, as the kernel keeps them in its second page:
 *
 *   refcount[folio + 1]   mappings by PMD entries            _entire_mapcount
 *   refcount[folio + 2]   mappings of any size               _large_mapcount
 *   refcount[folio + 3]   pages with at least one PTE         _nr_pages_mapped
 *   index[folio + 1, 2]   an address space and its mappings   _mm_id[2], _mm_id_mapcount[2]
 *
 * An anonymous large folio has at least four pages.
 */

/** Mappings of one address space in a slot; its number times this, plus them. */
const SLOT = 2 ** 22;

/** Mappings of PMD size (folio_entire_mapcount). */
export const entireMapcount = (mem: MemMap, folio: Folio): number => (isLarge(mem, folio) ? mem.refcount[folio + 1] : 0);

/** All mappings of a folio: PTEs and PMDs (folio_mapcount). */
export const totalMapcount = (mem: MemMap, folio: Folio): number =>
  isLarge(mem, folio) ? mem.refcount[folio + 2] : mem.mapcount[folio];

/** Whether more than one address space may map the folio; of a small one, more than one entry (folio_maybe_mapped_shared). */
export const maybeMappedShared = (mem: MemMap, folio: Folio): boolean =>
  isLarge(mem, folio) ? (mem.flags[folio] & MAYBE_SHARED) !== 0 : mem.mapcount[folio] > 1;

/** Pages that at least one PTE maps. */
export const pagesMapped = (mem: MemMap, folio: Folio): number => mem.refcount[folio + 3];

/** Whether the page belongs to a folio of several pages. */
export const isLarge = (mem: MemMap, page: Folio | Pfn): boolean => (mem.flags[page] & LARGE) !== 0;

/** One PTE more maps `pfn` in address space `mm` (folio_add_anon_rmap_pte). */
export function addPte(mem: MemMap, pfn: Pfn, mm: number): void {
  if (mem.mapcount[pfn]++ > 0 || !isLarge(mem, pfn)) {
    if (isLarge(mem, pfn)) addLarge(mem, mem.folioOf(pfn), 1, mm);
    return;
  }
  const folio = mem.folioOf(pfn);
  mem.refcount[folio + 3]++;
  addLarge(mem, folio, 1, mm);
}

/** One PTE less (folio_remove_rmap_pte). */
export function removePte(mem: MemMap, pfn: Pfn, mm: number): void {
  const left = --mem.mapcount[pfn];
  if (!isLarge(mem, pfn)) return;
  const folio = mem.folioOf(pfn);
  if (left === 0) mem.refcount[folio + 3]--;
  subLarge(mem, folio, 1, mm);
}

/** One PMD entry more maps all of `folio` (folio_add_anon_rmap_pmd). */
export function addPmd(mem: MemMap, folio: Folio, mm: number): void {
  mem.refcount[folio + 1]++;
  addLarge(mem, folio, 1, mm);
}

/** One PMD entry less (folio_remove_rmap_pmd). */
export function removePmd(mem: MemMap, folio: Folio, mm: number): void {
  mem.refcount[folio + 1]--;
  subLarge(mem, folio, 1, mm);
}

/** folio_add_return_large_mapcount: two slots know who maps the folio; whoever finds none makes it "maybe shared". */
function addLarge(mem: MemMap, folio: Folio, n: number, mm: number): void {
  const { index } = mem;
  const total = mem.refcount[folio + 2] + n;
  mem.refcount[folio + 2] = total;
  const first = Math.floor(index[folio + 1] / SLOT);
  const second = Math.floor(index[folio + 2] / SLOT);
  if (first === mm) index[folio + 1] += n;
  else if (second === mm) index[folio + 2] += n;
  else if (first === 0) {
    index[folio + 1] = mm * SLOT + n;
    if (total !== n) mem.flags[folio] |= MAYBE_SHARED;
  } else if (second === 0) {
    index[folio + 2] = mm * SLOT + n;
    mem.flags[folio] |= MAYBE_SHARED;
  }
}

/** folio_sub_return_large_mapcount: exclusive again as soon as one slot owns all mappings that are left. */
function subLarge(mem: MemMap, folio: Folio, n: number, mm: number): void {
  const { index } = mem;
  const total = mem.refcount[folio + 2] - n;
  mem.refcount[folio + 2] = total;
  for (let slot = folio + 1; slot <= folio + 2; slot++) {
    if (Math.floor(index[slot] / SLOT) !== mm) continue;
    index[slot] -= n;
    if (index[slot] === mm * SLOT) index[slot] = 0;
    break;
  }
  const owned = (slot: number): number => index[slot] - Math.floor(index[slot] / SLOT) * SLOT;
  if (owned(folio + 1) === total || owned(folio + 2) === total) mem.flags[folio] &= ~MAYBE_SHARED;
}
