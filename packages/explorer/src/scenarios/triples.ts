import { type ProgramScenario, scenarioOf } from './scenario.js';
import type { ThreadOperation } from './scenario-program.js';
import { AWAY, CHILD, family, map, move, PARENT, page, unmap, whole } from './world.js';

/** A process with two untouched pages, and a second thread. */
const untouched = [map(PARENT, 10, 12), whole('thread')];

const about = (
  name: string,
  description: string,
  rules: string,
  threads: Readonly<Record<string, ThreadOperation>>,
  setup = family(),
): ProgramScenario =>
  scenarioOf({
    name,
    description,
    rules: rules.split(' '),
    setup,
    threads: Object.fromEntries(Object.entries(threads).map(([thread, operation]) => [thread, [operation]])),
  });

/** Races of changes among themselves, and selected triples. */
export const others: readonly ProgramScenario[] = [
  about(
    'first-faults',
    'two threads touch two pages of a VMA for the first time',
    'R5',
    { one: page('write', 0, 10), two: page('write', 1, 11) },
    untouched,
  ),
  about(
    'fault-x-fork',
    'one thread touches memory for the first time while another forks',
    'R5 R7 R9',
    { fork: whole('fork'), fault: page('write', 1, 11) },
    untouched,
  ),
  about('both-write', 'parent and child both write to the page they share', 'R16', {
    parent: page('write', PARENT, 10),
    child: page('write', CHILD, 10),
  }),
  about(
    'migrate-x-fork-x-move',
    'a migration walks twice while the parent forks and then moves its pages away',
    'R7 R10 R23',
    {
      migrate: page('migrate', PARENT, 10),
      fork: whole('fork'),
      move: move(PARENT, 10, AWAY, 2),
    },
    family(10),
  ),
  about('migrate-x-exit-x-exit', 'all who map a page exit while it migrates', 'R20 R23 R31', {
    migrate: page('migrate', PARENT, 10),
    exit: whole('exit'),
    childExit: whole('exit', CHILD),
  }),
  about('reclaim-x-fork-x-write', 'reclaim takes a page away while the child forks and the parent writes to it', 'R7 R18', {
    reclaim: page('reclaim', PARENT, 10),
    fork: whole('fork', CHILD),
    write: page('write', PARENT, 10),
  }),
  about('walk-x-exit-x-fork', 'a walk is under way while the parent exits and the child forks', 'R7 R18 R20', {
    walk: page('walk', PARENT, 10),
    exit: whole('exit'),
    fork: whole('fork', CHILD),
  }),
  about('walk-x-munmap-x-write', 'a walk is under way while the parent unmaps the page and the child writes to it', 'R18 R20', {
    walk: page('walk', PARENT, 10),
    munmap: unmap(PARENT, 10, 1),
    write: page('write', CHILD, 10),
  }),
];
