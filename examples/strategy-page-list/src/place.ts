import type { Address, Mm, Pfn, RwSem } from '@rmap-lab/core';

/** One entry that maps a page: the `pte_chain` of Linux 2.5.0, whose pointer to the entry is an address of an mm here. */
export interface Place {
  next: Place | null;
  mm: Mm | null;
  address: Address;
  /** 2 while a PMD entry is being split into PTEs, which map the same page at the same address; else 1. */
  entries: number;
}

/** The places of one page. */
export interface List {
  first: Place | null;
  /** Pages by which it is found. */
  pages: number;
}

/** The places of each page of a folio; the folios that it is split into share it. */
export interface Chain {
  /** While a folio migrates, migration entries name its old pages, so a list is found by the old page and by the new one. */
  readonly lists: Map<Pfn, List>;
  /** Walks read it; who must keep walks of the folio out writes it. */
  readonly gate: RwSem;
  /** Folios and holds that point here. */
  users: number;
  /** How often an entry has travelled. */
  moves: number;
}

/** The place of `page` at `address` of `mm`, and the one before it. */
export function find(chain: Chain, page: Pfn, mm: Mm, address: Address): { place: Place | null; before: Place | null } {
  let before: Place | null = null;
  for (let place = chain.lists.get(page)?.first ?? null; place !== null; place = place.next) {
    if (place.address === address && place.mm === mm) return { place, before };
    before = place;
  }
  return { place: null, before };
}
