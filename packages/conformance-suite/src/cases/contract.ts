import {
  type Folio,
  Kernel,
  type KernelOptions,
  MADV_MERGEABLE,
  type Op,
  type Operation,
  PAGE_SIZE,
  type Pgoff,
  ProgramRun,
  type Rmap,
  type RmapStrategy,
  run,
  type Step,
  type Vma,
} from '@rmap-lab/core';
import { CaseFailure, type ConformanceCase, type Lab } from '../case.js';
import { withHooks } from '../facade.js';
import {
  advise,
  exit,
  fill,
  fork,
  ksmScan,
  map,
  move,
  munmap,
  protect,
  RO,
  read,
  reclaim,
  startMigration,
  write,
} from '../operations.js';
import { RULES } from '../rules.js';

/** Splits, merges, moves, forks and exits. */
const VARIED: readonly Operation[] = [
  map(10, 8),
  write(10),
  write(13),
  fork(),
  protect(12, 2, RO),
  write(11, 1),
  protect(12, 2, 3),
  move(14, 2, 40),
  write(41),
  fork(1),
  exit(1),
  munmap(10, 1),
  write(12, 1),
  map(18, 2),
  write(18),
];
const FEATURES = ['large-folio', 'private-file', 'swap', 'migrate', 'ksm', 'uffd-move', 'collapse', 'folio-split'];

const expect = (holds: boolean, message: string): void => {
  if (!holds) throw new CaseFailure(message);
};

function play(strategy: RmapStrategy, program: readonly Operation[], options: Omit<KernelOptions, 'strategy'> = {}): ProgramRun {
  const started = new ProgramRun(new Kernel({ strategy, ...options }));
  for (const operation of program) started.apply(operation);
  return started;
}

const show = (kernel: Kernel): string => JSON.stringify([kernel.stats(), kernel.inspect(), kernel.draw()]);
const answerOf = <T>(answer: T | Op<T>): T =>
  typeof answer === 'object' && answer !== null && 'next' in answer ? run(answer as Op<T>) : (answer as T);

function nothingLeft(kernel: Kernel, when: string): void {
  const left = Object.entries(kernel.stats().slab).filter(([, { live }]) => live > 0);
  if (left.length === 0) return;
  throw new CaseFailure(`${left.map(([cache, { live }]) => `${live} of ${cache}`).join(', ')} left ${when}: ${RULES.R15}`, {
    rule: 'R15',
  });
}

/** A machine on which a program ran, the strategy's hooks, and the folio of the first process's first touched VMA. */
interface Stage {
  readonly kernel: Kernel;
  readonly rmap: Rmap;
  readonly folio: Folio;
  readonly first: Pgoff;
  readonly last: Pgoff;
  readonly run: ProgramRun;
}

function stage(strategy: RmapStrategy, program: readonly Operation[], options: Omit<KernelOptions, 'strategy'> = {}): Stage {
  let rmap: Rmap | null = null;
  const spied = withHooks(strategy, (made) => {
    rmap = made;
  });
  const started = play(spied, program, options);
  const process = started.processes[0];
  const at = process.vmas().find(({ faulted }) => faulted)?.start;
  const folio = at === undefined ? null : process.folioAt(at);
  if (folio === null || rmap === null || at === undefined) throw new CaseFailure('a page that was written is not mapped');
  const { index, order } = process.pageAt(at);
  const first = index as Pgoff;
  return { kernel: started.kernel, rmap, folio, first, last: (first + 2 ** order - 1) as Pgoff, run: started };
}

/** A page at 10, shared by a parent and two children, one of which moved it. */
const shared = (strategy: RmapStrategy): Stage => stage(strategy, [map(10, 4), write(10), fork(), fork(), move(10, 4, 40, 1)]);
/** A page at 10 of a process that never forked. */
const alone = (strategy: RmapStrategy): Stage => stage(strategy, [map(10, 4), write(10)]);
/** A folio of four pages that lies in three VMAs. */
const cutUp = (strategy: RmapStrategy): Stage =>
  stage(strategy, [map(8, 4), write(8), protect(9, 1, RO)], { thp: { orders: { 2: 'always' } } });

/** What the strategy offers in one walk; `until` says after how many it is told to stop. */
function offers(
  { rmap, folio, first, last }: Stage,
  until = Number.POSITIVE_INFINITY,
): { vma: Vma; address: number; pass: number }[] {
  const seen: { vma: Vma; address: number; pass: number }[] = [];
  let pass = 0;
  const hold = answerOf(rmap.hold(folio, 'read', true));
  expect(hold > 0, `hold of a mapped folio answers ${hold}`);
  run(
    rmap.walk(
      hold,
      { folio, first, last, mappings: null },
      {
        found: 0,
        visit: (vma, address) => seen.push({ vma, address, pass }) < until,
        restart: () => void pass++,
      },
    ),
  );
  answerOf(rmap.release(hold));
  return seen;
}

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

/** Runs `body` where nobody can look at a clock or draw a random number. */
function withoutChance(body: () => void): void {
  const { random } = Math;
  const { now } = Date;
  const forbidden = (what: string) => (): never => {
    throw new CaseFailure(`a hook calls ${what}`);
  };
  Math.random = forbidden('Math.random');
  Date.now = forbidden('Date.now');
  try {
    body();
  } finally {
    Math.random = random;
    Date.now = now;
  }
}

const contractCase = (
  name: string,
  rule: ConformanceCase['rule'],
  title: string,
  why: string,
  body: (lab: Lab) => void,
  needs: ConformanceCase['needs'] = [],
): ConformanceCase => ({
  id: `contract/${name}`,
  level: 'contract',
  rule,
  strength: 'must',
  needs,
  title,
  why,
  run: body,
});

/** What the hooks promise by themselves, call by call. */
export const contract: readonly ConformanceCase[] = [
  contractCase('describes-itself', 'R33', 'the strategy says what it is', 'the fields of RmapStrategy', ({ strategy }) => {
    expect(strategy.name.trim().length > 0, 'the name is empty');
    expect(strategy.contract === 1, `the contract is ${strategy.contract}, this suite is for 1`);
    expect(
      Object.values(strategy.bytes).every((bytes) => Number.isInteger(bytes) && bytes >= 0),
      'bytes are not whole numbers',
    );
    for (const [feature, reason] of Object.entries(strategy.unsupported ?? {})) {
      expect(FEATURES.includes(feature), `'${feature}' in unsupported is no feature`);
      expect(reason.length > 10, `the reason for '${feature}' says nothing`);
    }
  }),
  contractCase('locks-are-named-once', 'R28', 'lock classes have names of their own', 'lockdep classes', ({ strategy }) => {
    const names = strategy.locks.map(({ name }) => name);
    expect(new Set(names).size === names.length, `a lock class is declared twice: ${names.join(', ')}`);
  }),
  contractCase(
    'finding-is-never-optional',
    'R17',
    'finding every mapping is not refused',
    'the purpose of a reverse map',
    ({ strategy }) => {
      const { kernel } = play(strategy, VARIED);
      expect(kernel.verify().mappings > 0, 'the program maps nothing');
    },
  ),
  contractCase(
    'two-kernels',
    'R1',
    'two machines under one strategy do not know of each other',
    'nothing global in create',
    ({ strategy }) => {
      const alone = show(play(strategy, VARIED).kernel);
      const one = new ProgramRun(new Kernel({ strategy }));
      const two = new ProgramRun(new Kernel({ strategy }));
      for (const operation of VARIED) {
        one.apply(operation);
        two.apply(operation);
      }
      expect(show(one.kernel) === alone && show(two.kernel) === alone, 'a machine beside another ends otherwise than alone');
    },
  ),
  contractCase(
    'deterministic',
    'R32',
    'the same program gives the same objects, costs and answers',
    'reproducible experiments',
    ({ strategy }) => {
      const [once, again] = [1, 2].map(() => show(play(strategy, VARIED).kernel));
      expect(once === again, 'two runs of one program differ');
    },
  ),
  contractCase(
    'inspect-changes-nothing',
    'R34',
    'looking at the objects changes nothing',
    'viewers and failure reports look at any time',
    ({ strategy }) => {
      const { kernel } = play(strategy, VARIED);
      const before = show(kernel);
      kernel.inspect();
      expect(show(kernel) === before, '`inspect` changed what is counted or shown');
      kernel.verify();
    },
  ),
  contractCase(
    'inspect-costs-nothing',
    'R34',
    'a walk after a look at the objects costs what it costs without',
    'what a viewer shows must not be part of what is measured',
    ({ strategy }) => {
      const walked = (looks: number): string => {
        const { kernel, folio } = shared(strategy);
        for (let i = 0; i < looks; i++) kernel.inspect();
        return JSON.stringify([kernel.walk(folio).candidates, kernel.stats()]);
      };
      expect(walked(0) === walked(2), 'walks after `inspect` are counted otherwise than without');
    },
  ),
  contractCase(
    'inspect-names-nodes',
    'R34',
    'edges lead to nodes, processes and VMAs that are there',
    'ObjectGraph',
    ({ strategy }) => {
      const { nodes, edges } = play(strategy, VARIED).kernel.inspect();
      const ids = new Set(nodes.map(({ id }) => id));
      expect(ids.size === nodes.length, 'two nodes have the same id');
      const lost = edges.find(({ to }) => !ids.has(to) && !/^(mm|vma|folio):/.test(to));
      expect(lost === undefined, `the edge ${lost?.label} from ${lost?.from} leads to ${lost?.to}, which is not shown`);
    },
  ),
  contractCase(
    'no-clock',
    'R32',
    'no hook looks at a clock or draws a random number',
    'reproducible experiments',
    ({ strategy }) => {
      withoutChance(() => play(strategy, VARIED).kernel.verify());
    },
  ),
  contractCase(
    'walk-offers-live-vmas',
    'R19',
    'a walk offers mapped VMAs, at a page inside them',
    'vma_address',
    ({ strategy }) => {
      const bad = offers(shared(strategy)).find(
        ({ vma, address }) => address < vma.start || address >= vma.end || address % PAGE_SIZE !== 0,
      );
      expect(bad === undefined, `a VMA was offered at 0x${bad?.address.toString(16)}, which lies not inside it`);
    },
  ),
  contractCase(
    'walk-offers-once',
    'R19',
    'a walk offers each VMA once a pass',
    'anon_vma_interval_tree_foreach',
    ({ strategy }) => {
      const keys = offers(shared(strategy)).map(({ vma, pass }) => `${pass} ${vma.mm.id} ${vma.start}`);
      expect(new Set(keys).size === keys.length, 'a VMA was offered twice in one pass');
    },
  ),
  contractCase(
    'walk-offers-all',
    'R17',
    'a walk offers all three VMAs of a family, wherever they are',
    'rmap_walk_anon',
    ({ strategy }) => {
      const mms = new Set(offers(shared(strategy)).map(({ vma }) => vma.mm.id));
      expect(mms.size === 3, `the page is mapped in 3 address spaces, the walk offered ${mms.size}`);
    },
  ),
  contractCase(
    'walk-stops',
    'R21',
    'a walk ends when the visitor has enough',
    'rwc->done, page_vma_mapped_walk_done',
    ({ strategy }) => {
      for (const until of [1, 2]) {
        const { length } = offers(shared(strategy), until);
        expect(length === until, `told to stop after ${until}, the walk offered ${length}`);
      }
    },
  ),
  {
    ...contractCase(
      'walk-stops-in-one-process',
      'R21',
      'a walk of a folio that lies in several VMAs of one process ends when the visitor has enough',
      'rwc->done; the first VMA need not be the last',
      ({ strategy }) => {
        const { length } = offers(cutUp(strategy), 1);
        expect(length === 1, `told to stop after 1, the walk offered ${length}`);
      },
    ),
    needs: ['large-folio'],
  },
  contractCase(
    'hold-of-an-unmapped-folio',
    'R25',
    'a folio that nothing maps answers GONE',
    'folio_mapped in folio_lock_anon_vma_read',
    ({ strategy }) => {
      const { rmap, folio, run: started } = shared(strategy);
      for (const process of [...started.processes]) process.munmap(process.vmas()[0].start, 4 * PAGE_SIZE);
      const answer = answerOf(rmap.hold(folio, 'read', true));
      expect(answer === 0, `hold of an unmapped folio answers ${answer}`);
    },
  ),
  contractCase(
    'hold-of-a-folio-under-migration',
    'R25',
    'a folio of which only migration entries are left answers GONE, with and without waiting',
    'folio_mapped in folio_get_anon_vma: an anchor may be stale then',
    ({ strategy }) => {
      if (strategy.unsupported?.migrate !== undefined) return;
      for (const { rmap, folio, kernel } of [shared(strategy), alone(strategy)]) {
        kernel.startMigration(folio);
        for (const wait of [true, false]) {
          const answer = answerOf(rmap.hold(folio, 'read', wait));
          expect(answer === 0, `hold of a folio under migration answers ${answer}`);
        }
        kernel.finishMigrations();
        kernel.verify();
      }
    },
  ),
  contractCase(
    'hold-without-waiting',
    'R25',
    'with nobody in the way, a hold that may not wait is had',
    'try_lock in rmap_walk_control',
    ({ strategy }) => {
      for (const mode of ['pin', 'read', 'write'] as const) {
        const { rmap, folio } = shared(strategy);
        const hold = answerOf(rmap.hold(folio, mode, false));
        expect(hold > 0, `a '${mode}' hold without waiting answers ${hold}`);
        answerOf(rmap.release(hold));
      }
    },
  ),
  contractCase(
    'holds-are-independent',
    'R25',
    'a folio can be pinned twice and read at once',
    'get_anon_vma counts',
    ({ strategy }) => {
      const { rmap, folio, kernel, run: started } = shared(strategy);
      const holds = ['pin', 'pin', 'read'].map((mode) => answerOf(rmap.hold(folio, mode as 'pin' | 'read', false)));
      expect(
        holds.every((hold) => hold > 0),
        `holds answer ${holds.join(', ')}`,
      );
      for (const hold of holds) answerOf(rmap.release(hold));
      kernel.verify();
      for (const process of [...started.processes].reverse()) {
        process.exit();
        kernel.verify();
      }
      nothingLeft(kernel, 'after the last exit');
    },
  ),
  contractCase(
    'pin-outlives-the-processes',
    'R15',
    'a pin keeps what it needs after the last process, and no longer',
    'put_anon_vma of the last reference',
    ({ strategy }) => {
      const { rmap, folio, kernel, run: started } = shared(strategy);
      const hold = answerOf(rmap.hold(folio, 'pin', true));
      for (const process of [...started.processes]) process.exit();
      answerOf(rmap.release(hold));
      nothingLeft(kernel, 'after the release of the last pin');
    },
  ),
  contractCase(
    'adjust-applies-once',
    'R8',
    '`adjust` applies each change exactly once',
    'vma_prepare .. vma_complete',
    ({ strategy }) => {
      let wrong = 0;
      const spied = withHooks(strategy, (rmap) => {
        const { adjust } = rmap;
        if (adjust === undefined) return;
        rmap.adjust = function* (change) {
          let applied = 0;
          yield* adjust.call(rmap, {
            ...change,
            apply: () => {
              applied++;
              return change.apply();
            },
          });
          if (applied !== 1) wrong++;
        };
      });
      play(spied, VARIED).kernel.verify();
      expect(wrong === 0, `${wrong} changes were not applied exactly once`);
    },
  ),
  contractCase('fork-copies-once', 'R9', '`forkMm` copies exactly once', 'dup_mmap', ({ strategy }) => {
    let wrong = 0;
    const spied = withHooks(strategy, (rmap) => {
      const { forkMm } = rmap;
      if (forkMm === undefined) return;
      rmap.forkMm = function* (child, parent, copy) {
        let copied = 0;
        yield* forkMm.call(rmap, child, parent, () => {
          copied++;
          return copy();
        });
        if (copied !== 1) wrong++;
      };
    });
    play(spied, VARIED).kernel.verify();
    expect(wrong === 0, `${wrong} forks were not copied exactly once`);
  }),
  contractCase('move-ends', 'R10', '`move` goes on until nothing is left to move', 'move_page_tables', ({ strategy }) => {
    let unfinished = 0;
    const spied = withHooks(strategy, (rmap) => {
      const { move: hook } = rmap;
      if (hook === undefined) return;
      rmap.move = function* (moving) {
        yield* hook.call(rmap, moving);
        if (yield* moving.next()) unfinished++;
      };
    });
    play(spied, [map(500, 1100), write(505), write(600), write(1500), move(500, 1100, 4000)]).kernel.verify();
    expect(unfinished === 0, 'a move ended before everything had moved');
  }),
  contractCase(
    'merge-question-is-pure',
    'R11',
    'asking whether two VMAs may merge changes nothing',
    'is_mergeable_anon_vma',
    ({ strategy }) => {
      const asking = (times: number): string =>
        show(
          play(
            withHooks(strategy, (rmap) => {
              const { canMerge } = rmap;
              if (canMerge === undefined) return;
              rmap.canMerge = (source, target, how) => {
                for (let i = 1; i < times; i++) canMerge.call(rmap, source, target, how);
                return canMerge.call(rmap, source, target, how);
              };
            }),
            VARIED,
          ).kernel,
        );
      expect(asking(1) === asking(3), 'asked three times instead of once, the machine ends otherwise');
    },
  ),
  contractCase(
    'reach-question-is-pure',
    'R11',
    'asking whether a walk reaches a VMA changes nothing',
    'ksm_might_need_to_copy',
    ({ strategy }) => {
      const program = [map(10, 2), write(10), fork(), reclaim(10), read(10, 1), read(10), move(10, 1, 40), read(40)];
      const asking = (times: number): string =>
        show(
          play(
            withHooks(strategy, (rmap) => {
              const { reaches } = rmap;
              rmap.reaches = (folio, vma) => {
                for (let i = 1; i < times; i++) reaches.call(rmap, folio, vma);
                return reaches.call(rmap, folio, vma);
              };
            }),
            program,
          ).kernel,
        );
      expect(asking(1) === asking(3), 'asked three times instead of once, the machine ends otherwise');
    },
    ['swap'],
  ),
  contractCase(
    'prepare-again',
    'R5',
    '`prepare` of a VMA that is prepared changes nothing',
    'a second fault of the same VMA',
    ({ strategy }) => {
      const asking = (times: number): string =>
        show(
          play(
            withHooks(strategy, (rmap) => {
              const { prepare } = rmap;
              rmap.prepare = function* (vma) {
                for (let i = 0; i < times; i++) {
                  const work = prepare.call(rmap, vma);
                  if (work) yield* work;
                }
              };
            }),
            [map(10, 4), write(10), map(20, 4), write(21), protect(21, 1, RO), fork(), write(22, 1)],
          ).kernel,
        )
          .replace(/"locks":.*?"pages"/, '"pages"')
          .replace(/"counts":\{.*?\}/, '');
      expect(asking(1) === asking(2), 'prepared twice, the machine ends otherwise');
    },
  ),
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
