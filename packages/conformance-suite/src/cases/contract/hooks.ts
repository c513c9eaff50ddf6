import { type Address, Kernel, NoMemory, type Operation, PAGE_SIZE, TASK_SIZE } from '@rmap-lab/core';
import type { ConformanceCase } from '../../case.js';
import { withHooks } from '../../facade.js';
import { monitored } from '../../monitor.js';
import { fork, map, move, moveKeeping, munmap, protect, RO, read, reclaim, write } from '../../operations.js';
import { objects } from '../growth.js';
import { contractCase, expect, nothingLeft, play, show, VARIED } from './stage.js';

/** Objects that a strategy may keep for later without growing by it. */
const PUT_BY = 32;

/** Memory from page `at` on that is touched, cut, moved in parts, and goes. */
const comeAndGo = (at: number): readonly Operation[] => [
  map(at, 8),
  write(at),
  write(at + 3),
  write(at + 6),
  protect(at + 2, 2, RO),
  move(at + 4, 4, at + 40),
  protect(at + 41, 1, RO),
  move(at + 42, 2, at + 60),
  moveKeeping(at + 60, 2, at + 20),
  munmap(at, 100),
];

/** How often hooks do what they are called for, and that questions change nothing. */
export const ofHooks: readonly ConformanceCase[] = [
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
    'exec-shifts-the-stack',
    'R10',
    'a stack that exec shifts down is found where it went, and forked; or exec gives up, and nothing is left',
    'relocate_vma_down: move_page_tables within one VMA, whose offsets stay',
    ({ strategy }) => {
      for (let n = 0, over = false; !over; n++) {
        const kernel = new Kernel({ strategy: monitored(strategy), checked: true });
        const process = kernel.spawn();
        const before = kernel.allocations;
        kernel.failNextAllocation(n);
        try {
          process.exec({ stackTop: (TASK_SIZE - 3 * PAGE_SIZE) as Address, argumentPages: 2 });
          over = n > 0 && kernel.allocations - before < n;
          kernel.failNextAllocation(0);
          const { mappings } = kernel.verify();
          expect(mappings === 2, `2 pages of arguments were written, ${mappings} are mapped`);
          process.fork();
        } catch (error) {
          if (n === 0 || !(error instanceof NoMemory)) throw error;
          kernel.failNextAllocation(0);
        }
        kernel.verify();
        for (const each of [...kernel.processes]) each.exit();
        nothingLeft(kernel, 'after the last exit');
      }
    },
  ),
  contractCase(
    'unlink-holds-nothing',
    'R4',
    'memory that is cut, moved and unmapped again and again leaves no growing row of objects',
    'unlink_anon_vmas: of split halves, of sources that MREMAP_DONTUNMAP keeps, of what moved on',
    ({ strategy }) => {
      const after = (cycles: number): number =>
        objects(play(strategy, Array.from({ length: cycles }, (_, i) => comeAndGo(10 + 100 * i)).flat()).kernel);
      const [few, many] = [after(64), after(512)];
      expect(many <= few + PUT_BY, `${few} objects are left after 64 times, ${many} after 512`);
    },
  ),
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
];
