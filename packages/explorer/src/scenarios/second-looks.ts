import { MADV_DONTNEED, MADV_MERGEABLE, type Operation, PROT_EXEC, PROT_READ, PROT_WRITE } from '@rmap-lab/core';
import { type ProgramScenario, scenarioOf } from './scenario.js';
import { AWAY, advise, CHILD, FAR, FOUR_PAGES, family, map, move, PARENT, page, protect, unmap, whole } from './world.js';

/** Pages 8 and 11 are touched, and then page 10 and 11 cut off: what was one VMA has two, and page 8 is not in the one that was there first. */
const cut: readonly Operation[] = [
  map(PARENT, 8, 12),
  page('write', PARENT, 8),
  page('write', PARENT, 11),
  protect(PARENT, 10, 2, PROT_READ | PROT_WRITE | PROT_EXEC),
];

/** What was true a moment ago and must be looked at again, or is guarded by a lock that only few others take. */
export const secondLooks: readonly ProgramScenario[] = [
  scenarioOf({
    name: 'cut-fork-x-migrate',
    description: 'a process forks that has cut a VMA, while a page of one part is migrated',
    rules: ['R7', 'R23'],
    setup: cut,
    threads: { fork: [whole('fork')], migrate: [page('migrate', PARENT, 8)] },
  }),
  scenarioOf({
    name: 'cut-move-x-migrate',
    description: 'a part of a VMA that was cut moves, while a page of it is migrated',
    rules: ['R10', 'R23'],
    setup: cut,
    threads: { move: [move(PARENT, 8, AWAY, 2)], migrate: [page('migrate', PARENT, 8)] },
  }),
  scenarioOf({
    name: 'fork-and-walk-x-split',
    description: 'a process forks for the first time, and a walk looks for a page of it, while its large folio is cut into pages',
    rules: ['R24', 'R26'],
    machine: { thp: FOUR_PAGES },
    setup: [map(PARENT, 8, 12), page('write', PARENT, 11)],
    threads: {
      'fork-and-walk': [whole('fork'), page('walk', PARENT, 11)],
      split: [{ op: 'splitFolio', process: PARENT, at: 11, order: 0, unequal: false }],
    },
  }),
  scenarioOf({
    name: 'half-moves-home-x-walk',
    description: 'half of a large folio moves back beside the other half, while a walk looks for it',
    rules: ['R18', 'R10'],
    machine: { thp: FOUR_PAGES },
    setup: [map(PARENT, 8, 12), page('write', PARENT, 8), move(PARENT, 10, AWAY, 2)],
    threads: { move: [move(PARENT, AWAY, 10, 2)], walk: [page('walk', PARENT, 8)] },
  }),
  scenarioOf({
    name: 'reuse-and-uffd-move-x-walk',
    description: 'the last user of a page writes to it and takes it elsewhere by UFFDIO_MOVE, while a walk looks for it',
    rules: ['R24', 'R26'],
    setup: [...family(), advise(PARENT, 10, 1, MADV_DONTNEED), map(CHILD, FAR, FAR + 1)],
    threads: {
      walk: [page('walk', CHILD, 10)],
      change: [page('write', CHILD, 10), { op: 'uffdMove', process: CHILD, to: FAR, from: 10, pages: 1 }],
    },
  }),
  scenarioOf({
    name: 'first-faults-x-ksm-and-fork',
    description: 'two threads fill two pages of a VMA with equal contents; one of them lets KSM merge these, and forks',
    rules: ['R5', 'R15'],
    setup: [map(PARENT, 10, 12), advise(PARENT, 10, 2, MADV_MERGEABLE), whole('thread')],
    threads: {
      one: [{ op: 'fill', process: 0, at: 10, pattern: 7 }, whole('ksmScan'), whole('fork')],
      two: [{ op: 'fill', process: 1, at: 11, pattern: 7 }],
    },
  }),
  scenarioOf({
    name: 'cut-and-munmap-x-walk-x-migrate',
    description: 'a process cuts a VMA and unmaps it all, while a walk waits for it and the page is migrated',
    rules: ['R30', 'R31'],
    setup: [map(PARENT, 9, 12), page('write', PARENT, 10)],
    threads: {
      munmap: [protect(PARENT, 11, 1, PROT_READ), unmap(PARENT, 9, 3)],
      walk: [page('walk', PARENT, 10)],
      migrate: [page('migrate', PARENT, 10)],
    },
  }),
  scenarioOf({
    name: 'exit-of-empty-x-walk',
    description: 'a child exits that has unmapped everything, while a walk looks for a page that parent and sibling share',
    rules: ['R18', 'R31'],
    setup: [...family(), whole('fork'), unmap(2, 9, 3)],
    threads: { exit: [whole('exit', 2)], walk: [page('walk', PARENT, 10)] },
  }),
  scenarioOf({
    name: 'fork-x-exit-of-child',
    description: 'the parent forks again, while its first child exits',
    rules: ['R7', 'R31'],
    setup: family(),
    threads: { fork: [whole('fork')], exit: [whole('exit', CHILD)] },
  }),
  scenarioOf({
    name: 'fork-child-x-exit-of-sibling',
    description: 'a child forks for the first time, while its sibling, which has forked, exits',
    rules: ['R7', 'R31'],
    setup: [...family(), whole('fork'), whole('fork', 2), whole('exit', 3)],
    threads: { fork: [whole('fork', CHILD)], exit: [whole('exit', 2)] },
  }),
];
