import type { ProgramRun } from '@rmap-lab/core';
import type { Scenario } from '../kernel-program.js';
import { operationsOf, type ScenarioProgram, setUp, threadsOf, walkedFolio, without } from './scenario-program.js';

/** A scenario that is plain data, so that it can be told, shrunk, and drawn. */
export interface ProgramScenario extends Scenario<ProgramRun> {
  readonly operations: number;
  /** The scenario without some of its operations, by number from 0. */
  without(dropped: ReadonlySet<number>): ProgramScenario;
  /** What happens, in a sentence. */
  readonly description: string;
  /** The rules of the contract that it puts to the test, beside {@link ALWAYS_CHECKED}. */
  readonly rules: readonly string[];
  readonly program: ScenarioProgram;
}

/** Rules that every scenario checks, whatever it is about. */
export const ALWAYS_CHECKED: readonly string[] = ['R16', 'R19', 'R20', 'R22', 'R28', 'R29', 'R30', 'R31'];

/** What a scenario is made of. */
export interface ScenarioParts extends ScenarioProgram, Pick<ProgramScenario, 'name' | 'description' | 'rules' | 'machine'> {}

/** A scenario that runs a program. */
export function scenarioOf({ name, description, rules, machine, setup, threads }: ScenarioParts): ProgramScenario {
  const program = { setup, threads };
  return {
    name,
    description,
    rules,
    ...(machine !== undefined && { machine }),
    program,
    operations: operationsOf(program).length,
    without: (dropped) =>
      scenarioOf({ name, description, rules, ...(machine !== undefined && { machine }), ...without(program, dropped) }),
    setup: (kernel) => setUp(program, kernel),
    threads: (_, run) => threadsOf(program, run),
    folio: (run) => walkedFolio(program, run),
  };
}
