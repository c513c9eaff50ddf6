import { MADV_MERGEABLE, type Op, type RmapStrategy, type Step } from '@rmap-lab/core';
import { CaseFailure, type ConformanceCase } from '../../case.js';
import { withHooks } from '../../facade.js';
import { advise, exit, fill, fork, ksmScan, map, startMigration, write } from '../../operations.js';
import { contractCase, expect, nothingLeft, play, VARIED } from './stage.js';

/** Steps that a hook took which must neither sleep nor allocate. */
function sleepless(
  strategy: RmapStrategy,
  names: readonly ('anchor' | 'transfer' | 'drop' | 'mapping' | 'unmapped')[],
): RmapStrategy {
  return withHooks(strategy, (rmap) => {
    for (const name of names) {
      const hook = rmap[name] as ((...args: unknown[]) => unknown) | undefined;
      if (hook === undefined) continue;
      (rmap as unknown as Record<string, unknown>)[name] = (...args: unknown[]) => {
        const answer = hook.apply(rmap, args);
        return typeof answer === 'object' && answer !== null && 'next' in answer
          ? onlySpinning(name, answer as Op<unknown>)
          : answer;
      };
    }
  });
}

function* onlySpinning(name: string, op: Op<unknown>): Op<unknown> {
  for (let turn = op.next(); ; turn = op.next()) {
    if (turn.done) return turn.value;
    const step: Step = turn.value;
    if (step.kind === 'alloc') throw new CaseFailure(`${name} allocates: ${step.label}`);
    yield step;
  }
}

/** What holds under locks, step by step and after a free, and what pins keep. */
export const ofSteps: readonly ConformanceCase[] = [
  contractCase(
    'spin-hooks',
    'R16',
    'hooks under a page-table lock allocate nothing',
    'might_sleep in folio_add_anon_rmap_ptes',
    ({ strategy }) => {
      const spied = sleepless(strategy, ['anchor', 'transfer', 'drop', 'mapping', 'unmapped']);
      const started = play(spied, VARIED, { stepping: true });
      started.kernel.verify();
    },
  ),
  contractCase(
    'step-by-step',
    'R28',
    'run step by step, every lock that is taken is let go',
    'lockdep: held locks at return',
    ({ strategy }) => {
      play(strategy, VARIED, { stepping: true }).kernel.verify();
    },
  ),
  contractCase('freed-objects', 'R31', 'no freed object is touched', 'KASAN', ({ strategy }) => {
    const { kernel, processes } = play(strategy, VARIED, { checked: true });
    kernel.verify();
    for (const process of [...processes]) process.exit();
  }),
  contractCase(
    'grace-periods',
    'R30',
    'what lock-free readers may see is freed after a grace period',
    'SLAB_TYPESAFE_BY_RCU, kfree_rcu',
    ({ strategy }) => {
      const { kernel, processes } = play(strategy, VARIED, { checked: true, stepping: true });
      for (const process of [...processes]) process.exit();
      kernel.verify();
    },
  ),
  contractCase(
    'pinned-vma',
    'R27',
    'from a pinned VMA a walk finds what a fork carried away',
    'rmap items of KSM',
    ({ strategy }) => {
      const { kernel } = play(strategy, [
        map(10, 2),
        fill(10, 7),
        fill(11, 7),
        advise(10, 2, MADV_MERGEABLE),
        ksmScan,
        fork(),
        fork(1),
      ]);
      expect(
        kernel.verify().mappings === 6,
        `a merged page of three generations has 6 mappings, ${kernel.verify().mappings} are known`,
      );
    },
    ['ksm'],
  ),
  contractCase(
    'pin-under-migration',
    'R23',
    'a migration pins what it needs, and lets go of it',
    'migrate_folio_unmap, put_anon_vma',
    ({ strategy }) => {
      const { kernel, processes } = play(strategy, [map(10, 1), write(10), startMigration(10), fork(), exit()]);
      kernel.finishMigrations();
      kernel.verify();
      for (const process of [...processes]) process.exit();
      nothingLeft(kernel, 'after the last exit');
    },
    ['migrate'],
  ),
];
