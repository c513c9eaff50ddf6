import type { Mutant } from '../mutant.js';

/** anon_vma_prepare: properly lock even newly allocated entries (2.6.28), when nobody asked again after locking. */
export const mutant: Mutant = {
  id: 'anon-vma/new-anon-vma-unlocked',
  base: 'anon-vma',
  kind: 'concurrent',
  commit: 'd9d332e0874f',
  sentence:
    'the first fault links its VMA to a new anon_vma without the lock, while a walk that knows the memory under its former name looks on',
  patches: [
    [
      'prepare.ts',
      '  yield* rwsem.write();\n  yield* pageTableLock.lock();',
      '  if (shared !== null) yield* rwsem.write();\n  yield* pageTableLock.lock();',
    ],
    ['prepare.ts', '  rwsem.writeUnlock();\n\n  if (!late)', '  if (shared !== null) rwsem.writeUnlock();\n\n  if (!late)'],
    [
      'lock.ts',
      '    const same = (yield* folios.readAnchor(folio)) === anchor;\n    const valid = same && (yield* folios.mapped(folio));',
      '    const same = true;\n    const valid = same;',
    ],
  ],
};
