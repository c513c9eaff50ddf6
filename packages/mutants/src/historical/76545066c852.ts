import type { Mutant } from '../mutant.js';

/** mm: extend KSM refcounts to the anon_vma root (2.6.36). */
export const mutant: Mutant = {
  id: 'anon-vma/root-not-counted',
  base: 'anon-vma',
  kind: 'sequential',
  commit: '76545066c852',
  sentence: 'a forked anon_vma holds no reference of its root, whose lock it uses after the root is freed',
  patches: [
    [
      'fork.ts',
      `  anonVma.root.refcount++;
`,
      '',
    ],
    ['anon-vma.ts', 'if (root !== anonVma && (yield* this.drop(root))) yield* this.freeOne(root);', 'void root;'],
  ],
};
