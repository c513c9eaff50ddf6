import { Kernel, ProgramRun, type RmapStrategy, Unsupported } from '@rmap-lab/core';
import {
  describeRecording,
  explore,
  type Failure,
  kernelProgram,
  type Program,
  type ProgramScenario,
  replay,
  type Scenario,
  Untraceable,
  type Verdict,
} from '@rmap-lab/explorer';
import { CaseFailure, type ConformanceCase } from './case.js';
import { PREEMPTIONS } from './defaults.js';
import { monitored } from './monitor.js';
import { pictureOf } from './picture.js';
import { ruleOf } from './rules.js';

/** Schedules of source-DPOR that are run at most for every interleaving; of nearly all scenarios hundreds are enough. */
const MANY = 4000;

/** What a case that is a scenario says about itself. */
export interface ScenarioCase extends Pick<ConformanceCase, 'rule' | 'title' | 'why'> {
  readonly scenario: ProgramScenario;
  readonly needs?: ConformanceCase['needs'];
}

/** A case of each scenario: in every schedule, up to the bound, no rule is broken. */
export const scenarioCases = (cases: readonly ScenarioCase[]): readonly ConformanceCase[] =>
  cases.map(({ scenario, needs = [], ...rest }) => ({
    ...rest,
    id: `concurrency/${scenario.name}`,
    level: 'concurrency',
    strength: 'must',
    needs,
    run: ({ strategy, preemptions, covered }) => {
      if (needs.some((feature) => strategy.unsupported?.[feature] !== undefined)) refuse(scenario, strategy);
      covered(runScenario(scenario, strategy, preemptions));
    },
  }));

/** Meets what the strategy refuses already before the threads begin, which the explorer passes over. @throws Unsupported */
function refuse({ machine, program }: ProgramScenario, strategy: RmapStrategy): void {
  const run = new ProgramRun(new Kernel({ ...machine, strategy }));
  for (const operation of program.setup) run.apply(operation);
}

/** Whether no interleaving was left out. @throws CaseFailure with the schedule that has the fewest preemptions, Unsupported */
function runScenario(scenario: Scenario, strategy: RmapStrategy, preemptions: number): boolean {
  let last: Kernel | null = null;
  const watched = ({ without, ...whole }: Scenario): Scenario => ({
    ...whole,
    // A failure is told without the operations that it doesn't take.
    ...(without && { without: (dropped: ReadonlySet<number>) => watched(without(dropped)) }),
    setup: (kernel) => {
      last = kernel;
      return whole.setup(kernel);
    },
    // A machine that is put back is not set up again.
    threads: (kernel, world) => {
      last = kernel;
      return whole.threads(kernel, world);
    },
    check: (kernel, world, ends) => {
      for (const end of Object.values(ends)) if ('error' in end && end.error instanceof Unsupported) throw end.error;
      whole.check?.(kernel, world, ends);
    },
  });
  const program = kernelProgram(watched(scenario), { strategy: monitored(strategy, () => last) });
  const { failure, exhausted } = search(program, preemptions);
  if (failure === null) return exhausted;
  if (failure.recording.error instanceof Unsupported) throw failure.recording.error;
  // Once more: whoever looked for the cause has run others since.
  replay(program, {
    scenario: scenario.name,
    dropped: failure.dropped,
    strategy: strategy.name,
    rule: failure.rule,
    choices: failure.choices,
    steps: failure.recording.steps.map(({ what }) => what),
  });
  const { spaces, mappings } = pictureOf(last as unknown as Kernel);
  throw new CaseFailure(failure.message, {
    rule: ruleOf(failure.recording.error),
    schedule: scheduleOf(failure),
    before: drawn(scenario.without?.(new Set(failure.dropped)) ?? scenario, strategy),
    after: spaces,
    mappings,
  });
}

/** All schedules with few preemptions first: most of what is wrong shows there, and soon. */
function search(program: Program, preemptions: number): Verdict {
  const all = preemptions === Number.POSITIVE_INFINITY;
  const few = explore(program, { engine: 'bounded', preemptions: all ? PREEMPTIONS : preemptions });
  if (!all || few.failure !== null || few.exhausted) return few;
  const every = everyInterleaving(program);
  return every === null || (every.failure === null && !every.exhausted) ? few : every;
}

/** Null: what threads read can't be followed. */
function everyInterleaving(program: Program): Verdict | null {
  try {
    return explore(program, { engine: 'dpor', maxSchedules: MANY });
  } catch (error) {
    if (error instanceof Untraceable) return null;
    throw error;
  }
}

function scheduleOf({ recording, preemptions }: Failure): string {
  const length = `${recording.steps.length} steps, ${preemptions} ${preemptions === 1 ? 'preemption' : 'preemptions'}`;
  return `${length}\n${describeRecording(recording).trimEnd()}`;
}

/** The address spaces before any thread runs. */
function drawn(scenario: Scenario, strategy: RmapStrategy): string {
  const kernel = new Kernel({ ...scenario.machine, strategy });
  scenario.setup(kernel);
  return pictureOf(kernel).spaces;
}
