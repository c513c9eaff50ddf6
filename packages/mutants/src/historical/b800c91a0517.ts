import type { Mutant } from '../mutant.js';

/** mm: fix corner case in anon_vma endless growing prevention (3.19). Who clones without saying first where pages go looks like a fork. */
export const mutant: Mutant = {
  id: 'anon-vma/clone-takes-over',
  base: 'anon-vma',
  kind: 'sequential',
  commit: 'b800c91a0517',
  sentence:
    'a clone looks for an abandoned anon_vma as a fork does, and then goes where the source goes all the same: the active VMAs of both are miscounted',
  patches: [
    [
      'clone.ts',
      `state.vmas.of(to).anonVma = state.vmas.of(from).anonVma;
  yield* cloneChain(state, to, from, false);`,
      `yield* cloneChain(state, to, from, true);
  state.vmas.of(to).anonVma = state.vmas.of(from).anonVma;`,
    ],
  ],
};
