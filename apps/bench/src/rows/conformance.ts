import { randomProgram, runPrograms } from '@rmap-lab/conformance-suite';
import { Kernel, ProgramRun } from '@rmap-lab/core';
import { contest } from '../contest.js';
import type { MachineSetup } from '../row.js';

const programs = (n: number) => Array.from({ length: n }, (_, i) => randomProgram(1 + i));

/** The suite's random programs of 25 operations, every one verified. */
const verified: MachineSetup = (n, strategy) => {
  const all = programs(n);
  return () => {
    runPrograms({ strategy }, all);
    return n;
  };
};

/** The same on one machine, and nobody looks. */
const alone: MachineSetup = (n, strategy) => {
  const all = programs(n);
  return () => {
    const kernel = new Kernel({ strategy });
    for (const program of all) {
      const run = new ProgramRun(kernel);
      for (const operation of program) run.apply(operation);
      for (const process of [...run.processes]) process.exit();
    }
    return n;
  };
};

export const conformanceRows = [
  contest({
    id: 'conformance.random',
    operation: 'run',
    as: 'rate',
    // Laps that outlast the compiler.
    n: 10_000,
    quickN: 20,
    ours: verified,
    other: alone,
    otherName: 'the operations alone',
    target: { of: 'ours', floor: 20_000, aim: 100_000 },
  }),
];
