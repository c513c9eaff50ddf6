import {
  MADV_COLLAPSE,
  MADV_HUGEPAGE,
  MADV_MERGEABLE,
  MAP_POPULATE,
  type Operation,
  PROT_EXEC,
  PROT_READ,
  PROT_WRITE,
} from '@rmap-lab/core';
import { type ProgramScenario, scenarioOf } from './scenario.js';
import type { ThreadOperation } from './scenario-program.js';
import { advise, CHILD, map, move, PARENT, page, protect, unmap, whole } from './world.js';

const RW = PROT_READ | PROT_WRITE;
const RWX = RW | PROT_EXEC;
const HUGE = 512;
const HUGE_AWAY = 8 * HUGE;

/** Two huge pages, each mapped by a PMD entry. */
const hugePages: readonly Operation[] = [
  map(PARENT, 0, 2 * HUGE),
  advise(PARENT, 0, 2 * HUGE, MADV_HUGEPAGE),
  page('write', PARENT, 0),
  page('write', PARENT, HUGE),
];

const hugeWalkers: Readonly<Record<string, readonly [string, ThreadOperation, string]>> = {
  walk: ['a walk looks for it', page('walk', PARENT, HUGE), 'R10 R18'],
  migrate: ['migration moves it, walking twice', page('migrate', PARENT, HUGE), 'R10 R23'],
};

/** A PMD entry travels. */
const huge = Object.entries(hugeWalkers).map(([walker, [does, operation, rules]]) =>
  scenarioOf({
    name: `huge-move-and-back-x-${walker}`,
    description: `a huge page moves away and back by its PMD entry, while ${does}`,
    rules: rules.split(' '),
    setup: hugePages,
    threads: {
      'move-and-back': [move(PARENT, HUGE, HUGE_AWAY, HUGE), move(PARENT, HUGE_AWAY, HUGE, HUGE)],
      [walker]: [operation],
    },
  }),
);

const everyFolio: Readonly<Record<string, readonly [string, ThreadOperation, string]>> = {
  compact: ['compaction migrates every folio it meets', whole('migrateAll'), 'R8 R10 R23'],
  shrink: ['reclaim takes every folio away that it meets', whole('reclaimAll'), 'R8 R10 R22'],
  age: ['reclaim asks of every folio who used it', whole('referencedAll'), 'R8 R10 R25'],
};

/** exec writes arguments into a stack that it then shifts down; only who looks at every folio finds a page of it meanwhile. */
const shifts = Object.entries(everyFolio).map(([walker, [does, operation, rules]]) =>
  scenarioOf({
    name: `exec-shift-x-${walker}`,
    description: `exec shifts its new stack down, while ${does}`,
    rules: rules.split(' '),
    setup: [],
    threads: { exec: [{ op: 'execShifted', process: PARENT, pages: 1 }], [walker]: [operation] },
  }),
);

/** Neighbours that differ in their access rights alone, so that one may share what the first fault of the other makes. */
const neighbours: readonly Operation[] = [map(PARENT, 10, 11), { ...map(PARENT, 11, 12), prot: RWX } as Operation];

/** Two that follow the reverse map, of which one withdraws a page table. */
const collapses = (['walk', 'migrate'] as const).map((walker) =>
  scenarioOf({
    name: `collapse-x-${walker}`,
    description: `MADV_COLLAPSE makes one huge page of small ones, while one of them is ${walker === 'walk' ? 'looked for by a walk' : 'migrated'}`,
    rules: ['R20', 'R23', 'R24'],
    setup: [map(PARENT, 0, HUGE), page('write', PARENT, 10)],
    threads: { collapse: [advise(PARENT, 0, HUGE, MADV_COLLAPSE)], [walker]: [page(walker, PARENT, 10)] },
  }),
);

/** What needs a world of its own. */
export const special: readonly ProgramScenario[] = [
  ...collapses,
  ...huge,
  ...shifts,
  scenarioOf({
    name: 'first-faults-of-neighbours',
    description: 'two threads touch two neighbouring VMAs for the first time',
    rules: ['R5'],
    setup: [...neighbours, whole('thread')],
    threads: { one: [page('write', 0, 10)], two: [page('write', 1, 11)] },
  }),
  scenarioOf({
    name: 'first-fault-x-munmap-of-neighbour',
    description: 'a thread touches a VMA for the first time, while the neighbour that it may share with goes',
    rules: ['R5', 'R31'],
    setup: [...neighbours, page('write', PARENT, 11), whole('thread')],
    threads: { fault: [page('write', 0, 10)], munmap: [unmap(1, 11, 1)] },
  }),
  scenarioOf({
    name: 'first-fault-x-walk-of-freed',
    description: 'a thread touches a VMA for the first time, while a walk is on its way from memory that was just freed',
    rules: ['R5', 'R30', 'R31'],
    setup: [map(PARENT, 10, 11), page('write', PARENT, 10), map(PARENT, 20, 21)],
    threads: {
      walk: [page('walk', PARENT, 10)],
      'munmap-and-fault': [unmap(PARENT, 10, 1), page('write', PARENT, 20)],
    },
  }),
  scenarioOf({
    name: 'line-of-forks',
    description:
      'after a line of forks and exits the last child puts a VMA together that was cut on the way, while reclaim asks who used a page',
    rules: ['R7', 'R11'],
    setup: [
      { ...map(PARENT, 10, 12), flags: MAP_POPULATE } as Operation,
      whole('fork', 0),
      whole('fork', 1),
      whole('exit', 1),
      whole('fork', 1),
      protect(1, 11, 1, RWX),
      protect(2, 11, 1, RWX),
      whole('fork', 2),
      page('write', 3, 11),
      whole('exit', 1),
      whole('fork', 2),
    ],
    threads: { merge: [protect(3, 11, 1, RW)], age: [page('referenced', 2, 11)] },
  }),
  scenarioOf({
    name: 'ksm-x-exit-x-exit',
    description: 'KSM looks around while all exit whose pages it has merged',
    rules: ['R15', 'R27', 'R31'],
    setup: [
      map(PARENT, 10, 12),
      page('write', PARENT, 10),
      whole('fork'),
      { op: 'fill', process: CHILD, at: 10, pattern: 7 },
      { op: 'fill', process: CHILD, at: 11, pattern: 7 },
      advise(CHILD, 10, 2, MADV_MERGEABLE),
      whole('ksmScan'),
    ],
    threads: { ksm: [whole('ksmScan')], exit: [whole('exit')], childExit: [whole('exit', CHILD)] },
  }),
];
