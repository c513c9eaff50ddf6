import type { Mutant } from '../mutant.js';

/** memory unplug: migration by kernel (2.6.23). With no entry left, nothing says any more that the anon_vma is still there. */
export const mutant: Mutant = {
  id: 'anon-vma/migration-holds-nothing',
  base: 'anon-vma',
  kind: 'sequential',
  commit: 'dc386d4d1e98',
  sentence: 'a migration takes no reference, so the anon_vma may be freed while nothing but migration entries is left',
  patches: [
    [
      'lock.ts',
      "if (mode === 'pin') return holdOf(anonVma, PIN);\n  yield* anonVma.root.rwsem.write();\n  return holdOf(anonVma, WRITE);\n}\n\n/** Starts from a VMA",
      "if (mode === 'pin') {\n    anonVma.refcount--;\n    return anonVma.ref * 4;\n  }\n  yield* anonVma.root.rwsem.write();\n  return holdOf(anonVma, WRITE);\n}\n\n/** Starts from a VMA",
    ],
    ['lock.ts', 'hold % 4 === PIN', 'hold % 2 === 0'],
    [
      'lock.ts',
      '  yield* state.anonVmas.put(anonVma);\n}\n\n/** Read-locks',
      '  if (mode !== 0) yield* state.anonVmas.put(anonVma);\n}\n\n/** Read-locks',
    ],
  ],
};
