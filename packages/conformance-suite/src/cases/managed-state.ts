import type { Op, RmapStrategy } from '@rmap-lab/core';
import { kernelProgram, type Program, sample, scenarioNamed } from '@rmap-lab/explorer';
import { CaseFailure, type ConformanceCase } from '../case.js';

/** Every kind of operation and of walker is in one of them. */
const SCENARIOS = [
  'fork-x-walk',
  'move-and-back-x-migrate',
  'exit-child-x-reclaim',
  'exec-x-referenced',
  'mprotect-split-and-merge-x-walk',
  'first-faults',
];
const SCHEDULES = 8;

/** R35: what a machine does that was put back is what a fresh one does, step by step. */
export const managedState: ConformanceCase = {
  id: 'contract/managed-state',
  level: 'contract',
  rule: 'R35',
  strength: 'must',
  needs: [],
  title: 'a machine that was put back does what a fresh one does, step by step',
  why: 'the explorer puts a machine back for each schedule instead of setting it up',
  unverifiable: ({ state }) =>
    state === 'managed' ? null : "the strategy does not say 'managed', so every schedule gets a machine of its own",
  run: ({ strategy, seed }) => {
    for (const name of SCENARIOS) {
      const [fresh, putBack] = [true, false].map((anew) => history(name, strategy, anew, seed));
      const at = fresh.findIndex((step, i) => step !== putBack[i]);
      if (at >= 0 || fresh.length !== putBack.length)
        throw new CaseFailure(
          `in ${name} a fresh machine does '${fresh[at]}' at step ${at}, one that was put back '${putBack[at]}'`,
        );
    }
  },
};

/** Every step of every thread in a few schedules, and how they ended. */
function history(name: string, strategy: RmapStrategy, fresh: boolean, seed: number): readonly string[] {
  const log: string[] = [];
  const program = kernelProgram(scenarioNamed(name), { strategy });
  const { failures } = sample(logged(program, fresh, log), {
    engine: 'random',
    depth: 1,
    seed,
    maxSchedules: SCHEDULES,
    keepGoing: true,
  });
  return [...log, `${failures} failures`];
}

function logged(program: Program, fresh: boolean, log: string[]): Program {
  function* listen(name: string, op: Op<unknown>): Op<unknown> {
    for (let turn = op.next(); ; turn = op.next()) {
      if (turn.done) return turn.value;
      const { kind, label, key } = turn.value;
      log.push(`${name}: ${kind} ${label} ${key ?? ''}`);
      yield turn.value;
    }
  }
  return () => {
    const world = program(fresh ? 'fresh' : undefined);
    return { ...world, threads: Object.fromEntries(Object.entries(world.threads).map(([name, op]) => [name, listen(name, op)])) };
  };
}
