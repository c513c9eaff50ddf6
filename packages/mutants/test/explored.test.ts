import { explore, kernelProgram, scenarioNamed } from '@rmap-lab/explorer';
import { describe, expect, it } from 'vitest';
import { mutantNamed, strategyOf } from '../src/index.js';

/** By commit: the scenario that finds the bug, and the operations and preemptions that are left of it, those before the threads included. */
const mustFind = [
  ['2555283eb40d', 'line-of-forks', 12, 0],
  ['dd18dbc2d42a', 'huge-move-and-back-x-walk', 6, 1],
  ['108d6642ad81', 'move-and-back-x-walk', 5, 1],
  ['38a76013ad80', 'move-and-back-x-walk', 5, 1],
  ['dc386d4d1e98', 'lone-exit-x-migrate', 4, 0],
  ['d9d332e0874f', 'first-fault-x-walk-of-freed', 6, 0],
  ['a8bef8ff6ea1', 'exec-shift-x-compact', 2, 2],
  ['76545066c852', 'ksm-x-exit-x-exit', 7, 0],
  ['657b5146955e', 'first-fault-x-munmap-of-neighbour', 5, 1],
] as const;

describe('the explorer finds bugs that the kernel had, and tells them small', () => {
  it.each(mustFind)('%s, by %s: %i operations, %i preemptions', (commit, name, operations, preemptions) => {
    const program = kernelProgram(scenarioNamed(name), { strategy: strategyOf(mutantNamed(commit)) });
    const { failure } = explore(program, { engine: 'bounded', preemptions: 2 });
    expect(failure).toMatchObject({ operations, preemptions });
  });
});
