import { isOp, MADV_MERGEABLE, type Op, type RmapStrategy } from '@rmap-lab/core';
import { CaseFailure, type ConformanceCase } from '../../case.js';
import { withHooks } from '../../facade.js';
import { advise, exit, fill, fork, ksmScan, map, startMigration, write } from '../../operations.js';
import { sleepOf } from '../../sleeping.js';
import { contractCase, expect, nothingLeft, play, VARIED, ways } from './stage.js';

/** Hooks that core calls where nobody may sleep, or where it may be so. */
const SPINNING = ['anchor', 'transfer', 'drop', 'mapping', 'unmapped'] as const;

/** The strategy on a machine that looks at what these hooks wait for. @throws CaseFailure */
const spinning = (strategy: RmapStrategy): RmapStrategy =>
  withHooks(strategy, (rmap) => {
    const hooks = rmap as unknown as Record<string, ((...args: unknown[]) => unknown) | undefined>;
    for (const name of SPINNING) {
      const hook = hooks[name];
      if (hook === undefined) continue;
      hooks[name] = (...args) => {
        const answer = hook(...args);
        return isOp(answer) ? onlySpinning(name, answer, sleepOf(strategy)) : answer;
      };
    }
  });

function* onlySpinning(name: string, op: Op<unknown>, sleeps: ReturnType<typeof sleepOf>): Op<unknown> {
  for (let turn = op.next(); ; turn = op.next()) {
    if (turn.done) return turn.value;
    const what = sleeps(turn.value);
    if (what !== null) throw new CaseFailure(`${name} ${what}`);
    yield turn.value;
  }
}

/** What holds under locks, step by step and after a free, and what pins keep. */
export const ofSteps: readonly ConformanceCase[] = [
  contractCase(
    'spin-hooks',
    'R16',
    'hooks that may be called under a page-table lock wait for nothing and allocate nothing',
    'might_sleep; folio_add_anon_rmap_ptes, __folio_migrate_mapping, free_unref_folios',
    ({ strategy }) => {
      const spied = spinning(strategy);
      play(spied, VARIED, { stepping: true }).kernel.verify();
      for (const [program, options] of ways(strategy)) {
        const { processes } = play(spied, program, { stepping: true, ...options });
        for (const process of [...processes]) process.exit();
      }
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
    'nobody sleeps in an RCU section, and what waits for a grace period is gone after it; who needs one, the level `concurrency` shows',
    'might_sleep; SLAB_TYPESAFE_BY_RCU, kfree_rcu',
    ({ strategy }) => {
      const { kernel, processes } = play(strategy, VARIED, { checked: true, stepping: true });
      for (const process of [...processes]) process.exit();
      kernel.verify();
      nothingLeft(kernel, 'after the last exit');
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
