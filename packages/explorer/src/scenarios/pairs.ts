import {
  MADV_COLLAPSE,
  MADV_DONTNEED,
  MAP_GROWSDOWN,
  MAP_NORESERVE,
  type Operation,
  PROT_READ,
  PROT_WRITE,
} from '@rmap-lab/core';
import { type ProgramScenario, scenarioOf } from './scenario.js';
import type { ThreadOperation } from './scenario-program.js';
import {
  AWAY,
  advise,
  CHILD,
  FAR,
  FOUR_PAGES,
  family,
  map,
  mergeable,
  move,
  PARENT,
  page,
  protect,
  THREAD,
  unmap,
  whole,
} from './world.js';

/** What changes address spaces, or follows the reverse map: in words, as operations, and the rules it is about. */
interface Side {
  readonly does: string;
  readonly rules: readonly string[];
  readonly operations: readonly ThreadOperation[];
}

const RW = PROT_READ | PROT_WRITE;
const side = (does: string, rules: string, ...operations: readonly ThreadOperation[]): Side => ({
  does,
  rules: rules.split(' '),
  operations,
});

/** What changes the address spaces of a family that shares page 10. */
const changes: Readonly<Record<string, Side>> = {
  fork: side('the parent forks again', 'R7 R9', whole('fork')),
  'fork-child': side('the child forks', 'R7 R9', whole('fork', CHILD)),
  move: side('the parent moves both pages away', 'R10', move(PARENT, 10, AWAY, 2)),
  'move-and-back': side(
    'the parent moves the page away and back',
    'R8 R10',
    move(PARENT, 10, AWAY, 1),
    move(PARENT, AWAY, 10, 1),
  ),
  munmap: side('the parent unmaps the page', 'R8 R20 R31', unmap(PARENT, 10, 1)),
  'munmap-child': side('the child unmaps all it has', 'R20 R31', unmap(CHILD, 10, 2)),
  'mprotect-split': side('the parent cuts its VMA behind the page', 'R8', protect(PARENT, 11, 1, PROT_READ)),
  'mprotect-split-and-merge': side(
    'the parent cuts its VMA and merges it again',
    'R8',
    protect(PARENT, 11, 1, PROT_READ),
    protect(PARENT, 11, 1, RW),
  ),
  write: side('the parent writes to the shared page', 'R16 R18', page('write', PARENT, 10)),
  'write-child': side('the child writes to the shared page', 'R16 R18', page('write', CHILD, 10)),
  'dontneed-and-write': side(
    'the parent drops its pages and writes to one again',
    'R16',
    advise(PARENT, 10, 2, MADV_DONTNEED),
    page('write', PARENT, 10),
  ),
  'swap-in': side('the parent reads the page back from swap', 'R18 R26', page('read', PARENT, 10)),
  exit: side('the parent exits', 'R20 R31', whole('exit')),
  'exit-child': side('the child exits', 'R20 R31', whole('exit', CHILD)),
  exec: side('the child calls exec', 'R20 R31', whole('exec', CHILD)),
};

/** What changes the address space of a process that never forked; page 11 is the only one touched. */
const loneChanges: Readonly<Record<string, Side>> = {
  fork: side('it forks for the first time', 'R7 R9', whole('fork')),
  move: side('it moves the page away', 'R10', move(PARENT, 11, AWAY, 1)),
  'move-and-back': side('it moves the page away and back', 'R8 R10', move(PARENT, 11, AWAY, 1), move(PARENT, AWAY, 11, 1)),
  'move-dontunmap': side(
    'it moves the page away, keeps the empty place, and writes there',
    'R10',
    move(PARENT, 8, AWAY, 4, true),
    page('write', PARENT, 11),
  ),
  munmap: side('it unmaps the page', 'R8 R20 R31', unmap(PARENT, 11, 1)),
  'munmap-front': side('it unmaps the front of the VMA, so that start and offset change', 'R8', unmap(PARENT, 8, 1)),
  'mprotect-split': side('it cuts the VMA before the page', 'R8', protect(PARENT, 10, 1, PROT_READ)),
  merge: side('an untouched neighbour before it merges with its VMA', 'R8', protect(PARENT, 6, 2, RW)),
  'stack-growth': side('its VMA grows down, as a stack does', 'R8', page('write', PARENT, 7)),
  mlock: side('it locks its memory', 'R8', { op: 'mlock', process: PARENT, at: 8, pages: 4 }),
  exit: side('it exits', 'R20 R31', whole('exit')),
};

/** What follows the reverse map of the folio that `process` has at `at`. */
const walkers = (process: number, at: number): Readonly<Record<string, Side>> => ({
  walk: side('a walk looks for all who map it', 'R18 R19 R21', page('walk', process, at)),
  referenced: side('reclaim asks who used it, without waiting', 'R25 R26', page('referenced', process, at)),
  reclaim: side('reclaim takes it away (try_to_unmap)', 'R18 R22', page('reclaim', process, at)),
  migrate: side('migration moves it, walking twice', 'R22 R23', page('migrate', process, at)),
  ksm: side('KSM looks for pages of equal contents', 'R22 R31', whole('ksmScan')),
  uffd: side('UFFDIO_MOVE takes a page to another VMA', 'R24 R26', {
    op: 'uffdMove',
    process: THREAD,
    to: FAR,
    from: 11,
    pages: 1,
  }),
  reuse: side('the only user writes to it, so that it is used again', 'R26', page('write', THREAD, 10)),
  split: side('its large folio is cut into pages', 'R23 R24', { op: 'splitFolio', process, at, order: 0, unequal: false }),
  collapse: side('MADV_COLLAPSE makes one huge page of it all', 'R24', advise(THREAD, at - (at % 512), 512, MADV_COLLAPSE)),
});

/** Pages that the family's VMA has: for a split those of a large folio, for a collapse those of a huge one. */
const pagesOf = (walker: string): [number, number] => (walker === 'split' ? [8, 12] : walker === 'collapse' ? [0, 512] : [9, 12]);

/** What a walker needs beside the family. */
const needs: Readonly<Record<string, readonly Operation[]>> = {
  uffd: [map(PARENT, FAR, FAR + 1), whole('thread')],
  reuse: [page('write', CHILD, 10), whole('thread')],
  ksm: mergeable,
  collapse: [whole('thread')],
};

/** What comes back from swap are single pages, and what is out there is not collapsed: these find something else of the family beside it. */
const besideSwap: Readonly<Record<string, { readonly at: number; readonly setup: readonly Operation[] }>> = {
  split: { at: 14, setup: [map(PARENT, 8, 16), page('write', PARENT, 10), page('write', PARENT, 14), whole('fork')] },
  collapse: { at: 600, setup: [map(PARENT, 9, 1024), page('write', PARENT, 10), page('write', PARENT, 600), whole('fork')] },
};

const pair = (prefix: string, change: string, [act, walker, follow]: readonly [Side, string, Side], setup: Operation[]) =>
  scenarioOf({
    name: `${prefix}${change}-x-${walker}`,
    description: `${act.does}, while ${follow.does}`,
    rules: [...new Set([...act.rules, ...follow.rules])],
    machine: walker === 'split' ? { thp: FOUR_PAGES } : {},
    setup,
    threads: { [change]: act.operations, [walker]: follow.operations },
  });

/** Every change against every walker. */
const familyPairs = Object.entries(changes).flatMap(([change, act]) =>
  Object.keys(walkers(PARENT, 10)).map((walker) => {
    const swapped = change === 'swap-in';
    const { at, setup } = (swapped ? besideSwap[walker] : undefined) ?? { at: 10, setup: family(...pagesOf(walker)) };
    const swap = swapped ? [page('reclaim', PARENT, 10), page('read', CHILD, 10)] : [];
    // A child that has its own page already would write to that.
    const more = change === 'write-child' && walker === 'reuse' ? [whole('thread')] : (needs[walker] ?? []);
    const follow = walkers(swapped ? CHILD : PARENT, at)[walker];
    return pair('', change, [act, walker, follow], [...setup, ...more, ...swap]);
  }),
);

/** One process, one touched page. A merge needs a neighbour, and a stack a VMA that grows. */
function alone(change: string): Operation[] {
  const vma = map(PARENT, 8, 12) as Extract<Operation, { op: 'mmap' }>;
  const touch = page('write', PARENT, 11);
  if (change === 'stack-growth') return [{ ...vma, flags: MAP_GROWSDOWN }, touch];
  if (change !== 'merge') return [vma, touch];
  const neighbour = { ...vma, at: 6, pages: 2, prot: PROT_READ };
  return [{ ...vma, flags: MAP_NORESERVE }, touch, { ...neighbour, flags: MAP_NORESERVE }];
}

const lonePairs = Object.entries(loneChanges).flatMap(([change, act]) => {
  const { walk, referenced, reclaim, migrate, split } = walkers(PARENT, 11);
  return Object.entries({ walk, referenced, reclaim, migrate, split }).map(([walker, follow]) =>
    pair('lone-', change, [act, walker, follow], alone(change)),
  );
});

/** All pairs of a change and a walker. */
export const pairs: readonly ProgramScenario[] = [...familyPairs, ...lonePairs];
