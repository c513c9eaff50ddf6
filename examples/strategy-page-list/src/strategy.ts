import { defineStrategy, type RmapStrategy } from '@rmap-lab/core';
import { PageList } from './page-list.js';

/** A list of the entries that map it, for each page: `pte_chain` of Linux 2.5. */
export const pageList = (): RmapStrategy =>
  defineStrategy({
    name: 'page-list',
    contract: 1,
    prepareUnder: 'vma-lock',
    ksm: 'direct',
    locks: [
      { name: 'chain', slot: 'above-ptl', kind: 'rwsem' },
      { name: 'mm-gate', slot: 'above-ptl', kind: 'rwsem' },
    ],
    bytes: { vma: 0, mm: 40, folio: 8 },
    state: 'managed',
    create: (services) => new PageList(services),
  });
