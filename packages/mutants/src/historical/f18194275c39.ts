import type { Mutant } from '../mutant.js';

/** mm: fix hang on anon_vma->root->lock (2.6.36). */
export const mutant: Mutant = {
  id: 'anon-vma/mapped-not-asked-again',
  base: 'anon-vma',
  kind: 'concurrent',
  commit: 'f18194275c39',
  sentence: 'who has locked the anon_vma that a stale anchor names does not ask again whether the folio is still mapped',
  patches: [
    [
      'lock.ts',
      '    const same = (yield* folios.readAnchor(folio)) === anchor;\n    const valid = same && (yield* folios.mapped(folio));',
      '    const same = true;\n    const valid = same;',
    ],
  ],
};
