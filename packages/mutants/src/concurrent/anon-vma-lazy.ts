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
    'move-unlocked',
    'entries of an upgraded VMA move without the lock',
    [
      'vma-operations.ts',
      'const locked = anonVma !== null && needsRmapLock(moving);',
      'const locked = anonVma !== null && needsRmapLock(moving) && moving.bytes === 0;',
    ],
  ],
  [
    'lock-failure-ignored',
    'a migration that could not lock a VMA goes on',
    ['hold.ts', 'if (!services.vmaRefs.tryReadLock(vma)) return false;', 'if (!services.vmaRefs.tryReadLock(vma)) continue;'],
  ],
]);
