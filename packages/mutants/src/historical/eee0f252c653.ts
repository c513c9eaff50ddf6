import type { Mutant } from '../mutant.js';

/** mm: fix page_lock_anon_vma leaving mutex locked (3.0). The memory may be handed on, and get another root, between lock and unlock. */
export const mutant: Mutant = {
  id: 'anon-vma/root-read-twice',
  base: 'anon-vma',
  kind: 'concurrent',
  commit: 'eee0f252c653',
  sentence:
    'the lock of a root that was read before is given back through a root that is read again, and a reference count vouches for the anon_vma',
  patches: [
    [
      'lock.ts',
      'const valid = same && (yield* folios.mapped(folio));',
      `const valid = same && (yield* services.load(anonVma, 'refcount')) > 0;`,
    ],
    [
      'lock.ts',
      `    if (mode === WRITE) rwsem.writeUnlock();
    else rwsem.readUnlock();
    if (valid)`,
      `    if (mode === WRITE) anonVma.root.rwsem.writeUnlock();
    else anonVma.root.rwsem.readUnlock();
    if (valid)`,
    ],
  ],
};
