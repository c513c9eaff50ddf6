import { PAGE_SIZE, type RmapStrategy, run, type Vma } from '@rmap-lab/core';
import { CaseFailure, type ConformanceCase } from '../../case.js';
import { map, protect, RO, write } from '../../operations.js';
import { alone, answerOf, contractCase, expect, nothingLeft, type Stage, shared, stage } from './stage.js';

/** A folio of four pages that lies in three VMAs, of which the first and the last are larger than their part of it. */
const cutUp = (strategy: RmapStrategy): Stage =>
  stage(strategy, [map(4, 12), write(8), protect(9, 1, RO)], { thp: { orders: { 2: 'always' } } });

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

/** Takes and gives back a hold of each mode. @throws CaseFailure */
function everyHoldIsHad({ rmap, folio }: Stage, waits: readonly boolean[]): void {
  for (const wait of waits)
    for (const mode of ['pin', 'read', 'write'] as const) {
      const hold = answerOf(rmap.hold(folio, mode, wait));
      expect(hold > 0, `a '${mode}' hold ${wait ? 'that may wait' : 'without waiting'} answers ${hold}`);
      answerOf(rmap.release(hold));
    }
}

/** What a walk offers, and what a hold answers. */
export const ofWalks: readonly ConformanceCase[] = [
  contractCase(
    'walk-offers-live-vmas',
    'R19',
    'a walk offers mapped VMAs, at a page inside them',
    'vma_address',
    ({ strategy }) => {
      const bad = offers(shared(strategy)).find(
        ({ vma, address }) => address < vma.start || address >= vma.end || address % PAGE_SIZE !== 0,
      );
      expect(bad === undefined, `a VMA was offered at 0x${Number(bad?.address).toString(16)}, which lies not inside it`);
    },
  ),
  contractCase(
    'walk-offers-lowest-page',
    'R19',
    'of a large folio a walk offers, in each VMA, the lowest of its pages that lie there',
    'vma_address: page_vma_mapped_walk goes on from there',
    ({ strategy }) => {
      const cut = cutUp(strategy);
      const offered = offers(cut);
      if (offered.length < 3)
        throw new CaseFailure(`the folio lies in 3 VMAs, the walk offered ${offered.length}`, { rule: 'R17' });
      const wrong = offered.find(
        ({ vma, address }) => address !== vma.start + Math.max(0, cut.first - vma.anonPgoff) * PAGE_SIZE,
      );
      expect(
        wrong === undefined,
        `the VMA at 0x${wrong?.vma.start.toString(16)} was offered at 0x${Number(wrong?.address).toString(16)}`,
      );
    },
    ['large-folio'],
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
    ['migrate'],
  ),
  contractCase(
    'hold-without-waiting',
    'R25',
    'with nobody in the way, a hold that may not wait is had',
    'try_lock in rmap_walk_control',
    ({ strategy }) => everyHoldIsHad(shared(strategy), [false]),
  ),
  contractCase(
    'hold-of-a-mapped-folio',
    'R25',
    'with nobody in the way, a hold of a mapped folio that may wait is neither GONE nor BUSY',
    'folio_get_anon_vma, anon_vma_lock_write: __folio_split and move_present_ptes give up or go round without it',
    ({ strategy }) => {
      for (const staged of [shared(strategy), alone(strategy)]) everyHoldIsHad(staged, [true]);
    },
  ),
  contractCase(
    'hold-of-a-large-folio',
    'R25',
    'the same of a large folio that lies in three VMAs, waiting or not',
    'folio_get_anon_vma, anon_vma_lock_write: __folio_split gives up without it',
    ({ strategy }) => everyHoldIsHad(cutUp(strategy), [true, false]),
    ['large-folio'],
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
];
