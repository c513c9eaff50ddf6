import type { Mutant } from '../mutant.js';

/** ksm: hold anon_vma in rmap_item (2.6.33). */
export const mutant: Mutant = {
  id: 'anon-vma/ksm-pin-uncounted',
  base: 'anon-vma',
  kind: 'sequential',
  commit: 'db114b83ab60',
  sentence: 'what KSM remembers is not counted, so the anon_vma goes with the last VMA while a merged page still needs it',
  patches: [
    [
      'lock.ts',
      `  const anonVma = state.vmas.of(vma).anonVma!;
  anonVma.refcount++;
`,
      `  const anonVma = state.vmas.of(vma).anonVma!;
  if (mode === 'write') anonVma.refcount++;
`,
    ],
    [
      'lock.ts',
      `  if (mode === WRITE) anonVma.root.rwsem.writeUnlock();
  yield* state.anonVmas.put(anonVma);`,
      `  if (mode === WRITE) anonVma.root.rwsem.writeUnlock();
  if (mode === WRITE) yield* state.anonVmas.put(anonVma);`,
    ],
  ],
};
