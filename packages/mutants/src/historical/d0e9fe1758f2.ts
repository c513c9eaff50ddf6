import type { Mutant } from '../mutant.js';

/** Simplify and comment on anon_vma re-use for anon_vma_prepare() (2.6.34). VMAs with the same anon_vma must have the same links. */
export const mutant: Mutant = {
  id: 'anon-vma/prepare-shares-a-childs',
  base: 'anon-vma',
  kind: 'sequential',
  commit: 'd0e9fe1758f2',
  sentence: `a first fault takes over a neighbour's anon_vma although that came from a fork and has more links, so the two merge and lose them`,
  patches: [['prepare.ts', 'return fields.links === 1 ? anonVma : null;', 'return fields.links > 0 ? anonVma : null;']],
};
