import type { Mutant } from '../mutant.js';

/** anonvma: when setting up page->mapping, we need to pick the _oldest_ anonvma (2.6.34). */
export const mutant: Mutant = {
  id: 'anon-vma/swapin-by-own',
  base: 'anon-vma',
  kind: 'sequential',
  commit: 'ea90002b0fa7',
  sentence:
    'a page read back from swap that others may share points at the anon_vma of who reads it first, where the others are not linked',
  patches: [
    ['strategy.ts', `event === 'new-shared' ? own.root.ref : own.ref`, 'own.ref'],
    ['strategy.ts', `anchor(folio: Folio, vma: Vma, event: 'new'`, `anchor(folio: Folio, vma: Vma, _event: 'new'`],
  ],
};
