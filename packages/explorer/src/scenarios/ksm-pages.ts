import { MADV_MERGEABLE, MADV_UNMERGEABLE, type Operation } from '@rmap-lab/core';
import { type ProgramScenario, scenarioOf } from './scenario.js';
import type { ThreadOperation } from './scenario-program.js';
import { AWAY, advise, family, map, mergeable, move, PARENT, page, unmap, whole } from './world.js';

/** Page 11 of the parent is one page of KSM with the child's page 20. */
const merged: readonly Operation[] = [...family(), ...mergeable, whole('ksmScan')];

/** What becomes of page 11: in words, as operations, and the rules it is about. */
const changes: Readonly<Record<string, readonly [does: string, rules: string, ...operations: readonly ThreadOperation[]]>> = {
  fork: ['the parent forks', 'R7 R18', whole('fork')],
  munmap: ['the parent unmaps it', 'R18 R20', unmap(PARENT, 11, 1)],
  'move-and-back': ['the parent moves it away and back', 'R10 R18', move(PARENT, 11, AWAY, 1), move(PARENT, AWAY, 11, 1)],
  unmerge: ['the parent takes it back from KSM', 'R18 R31', advise(PARENT, 10, 2, MADV_UNMERGEABLE)],
  write: ['the parent writes to it', 'R16 R18', page('write', PARENT, 11)],
  exit: ['the parent exits', 'R20 R31', whole('exit')],
};

const ofKsm = (name: string, does: string, rules: string, setup: readonly Operation[], operations: readonly ThreadOperation[]) =>
  scenarioOf({
    name: `${name}-x-walk-of-ksm`,
    description: `${does}, while a walk looks for all who map a page of KSM`,
    rules: rules.split(' '),
    setup,
    threads: { [name]: operations, walk: [page('walk', PARENT, 11)] },
  });

/** Two pages of a process that never forked, which are one page of KSM. */
const lone: readonly Operation[] = [
  map(PARENT, 10, 12),
  { op: 'fill', process: PARENT, at: 10, pattern: 7 },
  { op: 'fill', process: PARENT, at: 11, pattern: 7 },
  advise(PARENT, 10, 2, MADV_MERGEABLE),
  whole('ksmScan'),
];

/** A walk of a page of KSM begins at what each of its items pins, and finds pages of different VMAs, wherever forks and moves took them. */
export const ksmPages: readonly ProgramScenario[] = [
  ...Object.entries(changes).map(([change, [does, rules, ...operations]]) => ofKsm(change, does, rules, merged, operations)),
  ofKsm('lone-munmap', 'a process that never forked unmaps one of its places', 'R18 R20', lone, [unmap(PARENT, 10, 1)]),
];
