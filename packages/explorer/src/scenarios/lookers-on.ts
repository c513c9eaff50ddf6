import type { Operation } from '@rmap-lab/core';
import { PROT_READ } from '@rmap-lab/core';
import { type ProgramScenario, scenarioOf } from './scenario.js';
import type { ThreadOperation } from './scenario-program.js';
import { CHILD, FAR, family, map, PARENT, page, protect, unmap, whole } from './world.js';

/** A page that the child has written, shared with a child of its own: a walk of it does not begin at the top of the family. */
const below: readonly Operation[] = [...family(), page('write', CHILD, 10), whole('fork', CHILD)];

/** Two processes that have nothing to do with each other; the second has touched page 10, not page 20. */
const strangers: readonly Operation[] = [
  map(PARENT, 10, 11),
  page('write', PARENT, 10),
  whole('fork'),
  whole('exec', CHILD),
  map(CHILD, 10, 11),
  page('write', CHILD, 10),
];

/** Page 11 is the parent's own; memory of another origin waits at FAR. */
const twoOrigins: readonly Operation[] = [...family(), map(PARENT, FAR, FAR + 1)];
const takenAway: readonly ThreadOperation[] = [
  { op: 'uffdMove', process: PARENT, to: FAR, from: 11, pages: 1 },
  unmap(PARENT, 9, 3),
];

/** The same where nobody ever forked. */
const twoLoneOrigins: readonly Operation[] = [map(PARENT, 9, 12), page('write', PARENT, 11), map(PARENT, FAR, FAR + 1)];

/** What a walk from a page further down, or from stale memory looks on at. */
export const lookersOn: readonly ProgramScenario[] = [
  scenarioOf({
    name: 'below-split-x-walk',
    description: "a child cuts its VMA, while a walk looks for all who map the child's own page",
    rules: ['R8', 'R18'],
    setup: below,
    threads: { split: [protect(CHILD, 11, 1, PROT_READ)], walk: [page('walk', CHILD, 10)] },
  }),
  scenarioOf({
    name: 'own-split-x-walk',
    description: 'a child that never forked cuts its VMA, while a walk looks for a page that it has written',
    rules: ['R8', 'R18'],
    setup: [...family(), page('write', CHILD, 10)],
    threads: { split: [protect(CHILD, 11, 1, PROT_READ)], walk: [page('walk', CHILD, 10)] },
  }),
  scenarioOf({
    name: 'below-exit-x-migrate',
    description: "a grandchild exits, while the child's own page is migrated",
    rules: ['R20', 'R23'],
    setup: below,
    threads: { exit: [whole('exit', 2)], migrate: [page('migrate', CHILD, 10)] },
  }),
  scenarioOf({
    name: 'walk-x-exit-and-strangers-fork',
    description: 'a walk is on its way to a page whose process exits, and a stranger forks into the memory that this leaves',
    rules: ['R28', 'R30'],
    setup: strangers,
    threads: { walk: [page('walk', PARENT, 10)], recycle: [whole('exit'), whole('fork', CHILD)] },
  }),
  scenarioOf({
    name: 'uffd-move-x-walk',
    description:
      'UFFDIO_MOVE takes a page to memory of another origin, which the source leaves behind, while a walk looks for it',
    rules: ['R24', 'R26'],
    setup: twoOrigins,
    threads: { 'move-and-unmap': takenAway, walk: [page('walk', PARENT, 11)] },
  }),
  scenarioOf({
    name: 'uffd-move-x-referenced',
    description: 'UFFDIO_MOVE takes a page to memory of another origin, while reclaim asks who used it',
    rules: ['R24', 'R26'],
    setup: twoOrigins,
    threads: { 'move-and-unmap': takenAway, referenced: [page('referenced', PARENT, 11)] },
  }),
  scenarioOf({
    name: 'lone-uffd-move-x-walk',
    description: 'UFFDIO_MOVE takes a page of a process that never forked elsewhere, while a walk looks for it',
    rules: ['R24', 'R26'],
    setup: twoLoneOrigins,
    threads: { 'move-and-unmap': takenAway, walk: [page('walk', PARENT, 11)] },
  }),
  scenarioOf({
    name: 'lone-uffd-move-x-referenced',
    description: 'UFFDIO_MOVE takes a page of a process that never forked elsewhere, while reclaim asks who used it',
    rules: ['R24', 'R26'],
    setup: twoLoneOrigins,
    threads: { 'move-and-unmap': takenAway, referenced: [page('referenced', PARENT, 11)] },
  }),
];
