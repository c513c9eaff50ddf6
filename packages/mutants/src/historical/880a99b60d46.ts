import type { Mutant } from '../mutant.js';

/** mm/rmap: support move to different root anon_vma in folio_move_anon_rmap() (6.8). Who walks without the folio lock must look again. */
export const mutant: Mutant = {
  id: 'anon-vma/anchor-not-read-again',
  base: 'anon-vma',
  kind: 'concurrent',
  commit: '880a99b60d46',
  sentence: 'a walk that has the lock does not look whether the folio was moved to another family meanwhile',
  patches: [
    [
      'lock.ts',
      `    const same = (yield* folios.readAnchor(folio)) === anchor;
    const valid`,
      `    const same = true;
    const valid`,
    ],
    ['lock.ts', 'const same = (yield* services.folios.readAnchor(folio)) === anonVma.ref;', 'const same = true;'],
  ],
};
