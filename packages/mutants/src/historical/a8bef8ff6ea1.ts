import type { Mutant } from '../mutant.js';

/** mm: migration: avoid race between shift_arg_pages() and rmap_walk() during migration by not migrating temporary stacks (2.6.35). */
export const mutant: Mutant = {
  id: 'anon-vma/temporary-stack-unmarked',
  base: 'anon-vma',
  kind: 'concurrent',
  commit: 'a8bef8ff6ea1',
  sentence:
    'the stack that exec is about to shift is marked as any other, so that migration finds its pages once here and once there, or not at all',
  patches: [
    [
      'prepare.ts',
      "import type { Op, Vma } from '@rmap-lab/core';",
      "import { type Op, VM_STACK_INCOMPLETE_SETUP, type Vma } from '@rmap-lab/core';",
    ],
    [
      'prepare.ts',
      'export function* prepare(state: State, vma: Vma): Op<void> {\n',
      'export function* prepare(state: State, vma: Vma): Op<void> {\n  (vma as unknown as { flags: number }).flags &= ~VM_STACK_INCOMPLETE_SETUP;\n',
    ],
  ],
};
