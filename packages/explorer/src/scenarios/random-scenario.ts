import { MADV_DONTNEED, MADV_MERGEABLE, type Operation, PROT_EXEC, PROT_READ, PROT_WRITE } from '@rmap-lab/core';
import { seeded } from '../random.js';
import { type ProgramScenario, scenarioOf } from './scenario.js';
import type { ThreadOperation } from './scenario-program.js';
import { AWAY, advise, FOUR_PAGES, map, move, PARENT, page, protect, unmap, whole } from './world.js';

/** The pages that all happens about. */
const FIRST = 8;
const LAST = 12;
/** Operations of a setup beyond the first, and of a thread, at most. */
const MOST = { setup: 3, operations: 2 } as const;
const RIGHTS = [PROT_READ, PROT_READ | PROT_WRITE, PROT_READ | PROT_WRITE | PROT_EXEC];

type Draw = (n: number) => number;

/** What a process does. */
const changes: readonly ((draw: Draw, process: number) => Operation)[] = [
  (draw, process) => page('write', process, FIRST + draw(4)),
  (draw, process) => page('read', process, FIRST + draw(4)),
  (_, process) => whole('fork', process),
  (draw, process) => move(process, FIRST + draw(3), AWAY, 1 + draw(2), draw(4) === 0),
  (draw, process) => move(process, AWAY, FIRST + draw(3), 1 + draw(2)),
  (draw, process) => unmap(process, FIRST + draw(4), 1 + draw(2)),
  (draw, process) => protect(process, FIRST + draw(4), 1 + draw(2), RIGHTS[draw(RIGHTS.length)]),
  (draw, process) => map(process, FIRST + draw(4), LAST),
  (draw, process) => page('reclaim', process, FIRST + draw(4)),
  (draw, process) => advise(process, FIRST, LAST - FIRST, draw(2) === 0 ? MADV_DONTNEED : MADV_MERGEABLE),
];

/** What is done to a folio that a process maps, or to all. */
const follows: readonly ((draw: Draw, process: number) => ThreadOperation)[] = [
  (draw, process) => page('walk', process, FIRST + draw(4)),
  (draw, process) => page('referenced', process, FIRST + draw(4)),
  (draw, process) => page('migrate', process, FIRST + draw(4)),
  (draw, process) => ({ op: 'splitFolio', process, at: FIRST + draw(4), order: 0, unequal: false }),
  () => whole('ksmScan'),
  () => whole('migrateAll'),
];

/** A small world drawn by a seed, and two or three threads: one follows the reverse map, and in each of the others a process changes what it leads to. */
export function randomScenario(seed: number): ProgramScenario {
  const draw: Draw = seeded(seed);
  const some = <T>(n: number, make: (i: number) => T): T[] => Array.from({ length: n }, (_, i) => make(i));
  const change = (process: number): Operation => changes[draw(changes.length)](draw, process);
  const processes = 1 + draw(2);
  const machine = draw(3) === 0 ? { thp: FOUR_PAGES } : {};
  const setup = [
    map(PARENT, FIRST, LAST),
    page('write', PARENT, FIRST + draw(4)),
    ...(processes > 1 ? [whole('fork')] : []),
    ...some(draw(MOST.setup + 1), () => change(draw(processes))),
  ];
  const follow = follows[draw(follows.length)](draw, draw(processes));
  const threads = some(processes, (process) => {
    const operations = some(1 + draw(MOST.operations), () => change(process));
    return [`process ${process}`, draw(6) === 0 ? [...operations, whole('exit', process)] : operations] as const;
  });
  return scenarioOf({
    name: `random-${seed}`,
    description: 'drawn by its number: an operation that follows the reverse map, and others that change what it leads to',
    rules: ['R18', 'R23'],
    machine,
    setup,
    threads: { [follow.op]: [follow], ...Object.fromEntries(threads) },
  });
}
