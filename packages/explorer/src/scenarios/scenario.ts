import type { ProgramRun } from '@rmap-lab/core';
import type { Scenario } from '../kernel-program.js';
import { type ScenarioProgram, setUp, threadsOf, walkedFolio } from './scenario-program.js';

/** A scenario that is plain data, so that it can be told, shrunk, and drawn. */
export interface ProgramScenario extends Scenario<ProgramRun> {
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
export function scenarioOf({ setup, threads, ...rest }: ScenarioParts): ProgramScenario {
  return programmed(rest, { setup, threads });
}

/** The same scenario with another program: some of its operations left out. */
export function programmed(
  scenario: Pick<ScenarioParts, 'name' | 'description' | 'rules' | 'machine'>,
  program: ScenarioProgram,
): ProgramScenario {
  const { name, description, rules, machine } = scenario;
  const walks = program.threads.walk?.[0]?.op === 'walk';
  return {
    name,
    description,
    rules,
    ...(machine !== undefined && { machine }),
    program,
    setup: (kernel) => setUp(program, kernel),
    threads: (_, run) => threadsOf(program, run),
    ...(walks && { folio: (run: ProgramRun) => walkedFolio(program, run) }),
  };
}
