import { mutantsOf } from '../mutant.js';

/** ANON_VMA_LAZY, broken where it shows only when several things happen at once. */
export const concurrentLazyMutants = mutantsOf('anon-vma-lazy', 'concurrent', [
  [
    'walk-once',
    'a walk that began from a root does not look whether the folio was upgraded meanwhile',
    ['options.ts', 'intended: { ...stated,', "intended: { ...stated, retry: 'none',"],
  ],
  [
    'migration-unlocked',
    'a migration takes no lock of the VMAs that cover the folio',
    ['options.ts', 'intended: { ...stated,', "intended: { ...stated, migrationLock: 'refOnly',"],
  ],
  [
    'migration-locks-root',
    'a migration locks the root, which need not cover the folio',
    ['options.ts', 'intended: { ...stated,', "intended: { ...stated, migrationLock: 'vmaReadRoot',"],
  ],
  [
    'upgrade-unlocked',
    'an upgrade links VMAs while walks look on',
    ['upgrade.ts', '  yield* rwsem.write();\n', '  void rwsem;\n'],
    ['upgrade.ts', '  rwsem.writeUnlock();\n', ''],
  ],
  [
    'move-unlocked',
    'entries of an upgraded VMA move without the lock',
    [
      'vma-operations.ts',
      'const locked = anonVma !== null && needsRmapLock(moving);',
      'const locked = anonVma !== null && needsRmapLock(moving) && moving.bytes === 0;',
    ],
  ],
  [
    'first-fault-twice',
    'of two first faults at once both make the VMA a root',
    [
      'prepare.ts',
      "if ((yield* state.services.load(state.vmas.of(vma), 'root')) === null) becomeRoot(state, vma);",
      "yield* state.services.load(state.vmas.of(vma), 'root');\n  becomeRoot(state, vma);",
    ],
  ],
  [
    'anchor-not-read-again',
    'who has locked what a lazy anchor leads to does not look whether it still does',
    [
      'hold.ts',
      '    const same = (yield* folios.readAnchor(folio)) === word;\n    if (locked',
      '    const same = true;\n    if (locked',
    ],
  ],
  [
    'lock-failure-ignored',
    'a migration that could not lock a VMA goes on',
    ['hold.ts', 'if (!services.vmaRefs.tryReadLock(vma)) return false;', 'if (!services.vmaRefs.tryReadLock(vma)) continue;'],
  ],
]);
