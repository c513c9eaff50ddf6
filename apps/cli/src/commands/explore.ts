import {
  type Engine,
  type ExploreOptions,
  encodeToken,
  explore,
  type Failure,
  kernelProgram,
  scenarioNamed,
  scenarios,
  timeline,
  type Verdict,
} from '@rmap-lab/explorer';
import { type Command, Option } from 'commander';
import { exitCode } from '../exit-codes.js';
import type { ExploreDocument } from '../explore-schema.js';
import { loadStrategy } from '../load-strategy.js';

const ENGINES: readonly Engine[] = ['bounded', 'pct', 'pos', 'random', 'brute-force'];

interface ExploreCommandOptions {
  readonly strategy: string;
  readonly engine: Engine;
  readonly preemptions: number;
  readonly seed: number;
  readonly schedules?: number;
  readonly seconds?: number;
  readonly list?: boolean;
  readonly json?: boolean;
}

export function addExplore(program: Command, wholeNumber: (text: string) => number): void {
  program
    .command('explore')
    .description('run concurrent operations in many interleavings, and show the simplest one that breaks a rule')
    .argument('[scenario]', 'name of a scenario (see --list)')
    .option('--strategy <name>', 'short name (anon-vma), package, or file', 'anon-vma')
    .addOption(new Option('--engine <name>', 'how interleavings are chosen').choices(ENGINES).default('bounded'))
    .option('--preemptions <n>', 'at most so many (bounded); one less than the depth (pct)', wholeNumber, 2)
    .option('--seed <n>', 'of engines that draw', wholeNumber, 1)
    .option('--schedules <n>', 'stop after so many', wholeNumber)
    .option('--seconds <n>', 'stop after so long', wholeNumber)
    .option('--list', 'print the names of all scenarios')
    .option('--json', 'print one JSON document (rmap-lab/explore@1)')
    .addHelpText('after', '\nExample:\n  rmap-lab explore fork-x-walk --preemptions 3')
    .action(async (name: string | undefined, options: ExploreCommandOptions) => {
      if (options.list) process.stdout.write(`${scenarios.map((scenario) => scenario.name).join('\n')}\n`);
      else if (name === undefined)
        program.error("error: name a scenario; 'rmap-lab explore --list' prints them", { exitCode: 2 });
      else process.exitCode = await run(name, options);
    });
}

async function run(name: string, options: ExploreCommandOptions): Promise<number> {
  const scenario = scenarioNamed(name);
  const { strategy } = await loadStrategy(options.strategy);
  const { engine, preemptions, seed, schedules, seconds } = options;
  const limits: ExploreOptions = {
    engine,
    preemptions,
    seed,
    ...(schedules !== undefined && { maxSchedules: schedules }),
    ...(seconds !== undefined && { maxSeconds: seconds }),
  };
  const verdict = explore(kernelProgram(scenario, { strategy }), limits);
  const document = documentOf(name, options.strategy, verdict);
  process.stdout.write(options.json ? `${JSON.stringify(document)}\n` : report(document, verdict));
  return verdict.failure === null ? exitCode.fine : exitCode.broken;
}

function documentOf(scenario: string, strategy: string, verdict: Verdict): ExploreDocument {
  const { engine, exhausted, bound, schedules, steps, seconds, failure } = verdict;
  return {
    schema: 'rmap-lab/explore@1',
    scenario,
    strategy,
    engine,
    verdict: verdict.verdict,
    exhausted,
    bound,
    schedules,
    steps,
    seconds,
    failure: failure && failureOf(scenario, strategy, failure),
  };
}

function failureOf(scenario: string, strategy: string, failure: Failure): NonNullable<ExploreDocument['failure']> {
  const { rule, choices, preemptions, recording } = failure;
  return {
    rule,
    token: encodeToken({ scenario, strategy, rule, choices, steps: recording.steps.map(({ what }) => what) }),
    operations: recording.threads.length,
    preemptions,
  };
}

function report({ scenario, strategy, failure }: ExploreDocument, verdict: Verdict): string {
  const { schedules, bound, seconds } = verdict;
  const what = `${scenario} under ${strategy}: ${verdict.verdict}; ${bound} (${schedules} schedules, ${seconds.toFixed(2)} s)\n`;
  if (verdict.failure === null || failure === null) return what;
  return `${what}\n${timeline(verdict.failure)}\nrmap-lab replay ${failure.token}\n`;
}
