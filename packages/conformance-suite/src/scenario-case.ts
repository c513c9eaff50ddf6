import { Kernel, ProgramRun, type RmapStrategy, Unsupported } from '@rmap-lab/core';
import {
  describeRecording,
  type Engine,
  explore,
  type Failure,
  kernelProgram,
  type ProgramScenario,
  replay,
  type Scenario,
} from '@rmap-lab/explorer';
import { CaseFailure, type ConformanceCase } from './case.js';
import { monitored } from './monitor.js';
import { pictureOf } from './picture.js';
import { ruleOf } from './rules.js';

/** How every scenario is searched: all schedules with at most so many switches away from a thread that could have gone on. */
const ENGINE: Engine = 'bounded';

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
    run: ({ strategy, preemptions }) => {
      if (needs.some((feature) => strategy.unsupported?.[feature] !== undefined)) refuse(scenario, strategy);
      runScenario(scenario, strategy, preemptions);
    },
  }));

/** Meets what the strategy refuses already before the threads begin, which the explorer passes over. @throws Unsupported */
function refuse({ machine, program }: ProgramScenario, strategy: RmapStrategy): void {
  const run = new ProgramRun(new Kernel({ ...machine, strategy }));
  for (const operation of program.setup) run.apply(operation);
}

/** @throws CaseFailure with the schedule that has the fewest preemptions, Unsupported */
function runScenario(scenario: Scenario, strategy: RmapStrategy, preemptions: number): void {
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
  const { failure } = explore(program, { engine: ENGINE, preemptions });
  if (failure === null) return;
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
