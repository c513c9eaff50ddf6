import type { Mutant } from '../mutant.js';

/** mm/vma: fix anon_vma UAF on mremap() faulted, unfaulted merge (6.19). */
export const mutant: Mutant = {
  id: 'anon-vma/move-joins-without-links',
  base: 'anon-vma',
  kind: 'sequential',
  commit: '61f67c230a5e',
  sentence: 'memory that is moved next to an untouched neighbour merges with it without giving it the links',
  patches: [
    [
      'strategy.ts',
      `  clone(to: Vma, from: Vma): Op<void> {
`,
      `  clone(to: Vma, from: Vma, why?: string): Soon<void> {
    if (why === 'move' && to.attached) return;
`,
    ],
  ],
};
