import type { Mutant } from '../mutant.js';

/** mm: always lock the root (oldest) anon_vma (2.6.36). */
export const mutant: Mutant = {
  id: 'anon-vma/own-lock',
  base: 'anon-vma',
  kind: 'concurrent',
  commit: '012f18004da3',
  sentence: `walks lock the anon_vma they start from instead of the root's, which is what everybody else locks`,
  patches: [
    ['lock.ts', `const { rwsem } = yield* services.load(anonVma, 'root');`, 'const { rwsem } = anonVma;'],
    [
      'lock.ts',
      'if (mode === READ) return anonVma.root.rwsem.readUnlock();',
      'if (mode === READ) return anonVma.rwsem.readUnlock();',
    ],
    [
      'lock.ts',
      `    const { rwsem } = anonVma.root;
    yield* rwsem.read();`,
      `    const { rwsem } = anonVma;
    yield* rwsem.read();`,
    ],
  ],
};
