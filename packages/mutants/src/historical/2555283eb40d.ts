import type { Mutant } from '../mutant.js';

/** mm/rmap: Fix anon_vma->degree ambiguity leading to double-reuse (6.0). One count of children and active VMAs together can mean either. */
export const mutant: Mutant = {
  id: 'anon-vma/reuse-by-degree',
  base: 'anon-vma',
  kind: 'sequential',
  commit: '2555283eb40d',
  sentence:
    'fork takes an anon_vma for abandoned when its children and active VMAs together are fewer than two, so two VMAs with different links may share it and merge',
  patches: [
    [
      'clone.ts',
      'if (forked && target.anonVma === null && isAbandoned(old.anonVma))',
      'if (forked && target.anonVma === null && old.anonVma !== state.vmas.of(from).anonVma && isAbandoned(old.anonVma))',
    ],
    ['clone.ts', 'numChildren < 2 && numActiveVmas === 0', 'numChildren + numActiveVmas < 2'],
  ],
};
