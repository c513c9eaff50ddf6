import { resolve } from 'node:path';
import {
  type Engine,
  type ExploreOptions,
  encodeToken,
  exploreInTurns,
  exploreParallel,
  type Failure,
  type Job,
  kernelProgram,
  MAX_STEPS,
  noticed,
  scenarioNamed,
  scenarios,
  timeline,
  type Verdict,
} from '@rmap-lab/explorer';
import { milliseconds } from '@rmap-lab/plumbing';
import { type Command, Option } from 'commander';
import { alive, announce, apart, print } from '../apart.js';
import { exitCode } from '../exit-codes.js';
import type { ExploreDocument } from '../explore-schema.js';
import { loadStrategy, shortNames, standing } from '../load-strategy.js';
import { count, positive, wholeNumber } from '../numbers.js';
import { checkWritable, drawFailure, operationLines } from '../pictures.js';
import { type Shard, shardFrom } from '../shard.js';
import { watched } from '../watched.js';

const ENGINES: readonly Engine[] = ['bounded', 'dpor', 'state', 'pct', 'pos', 'random', 'brute-force'];

/** Those that can be cut into parts. */
const WORKERS: readonly Engine[] = ['bounded', 'pct', 'pos', 'random'];

interface ExploreCommandOptions {
  readonly strategy: string;
  readonly engine: Engine;
  readonly preemptions: number;
  readonly seed: number;
  readonly schedules?: number;
  readonly seconds?: number;
  readonly workers?: number;
  readonly shard?: Shard;
  readonly resume?: string;
  readonly svg?: string;
  readonly html?: string;
  readonly list?: boolean;
  readonly json?: boolean;
}

export function addExplore(program: Command): void {
  program
    .command('explore')
    .description('run concurrent operations in many interleavings, and show the simplest one that breaks a rule')
    .argument('[scenario]', 'name of a scenario (see --list)')
    .option('--strategy <name>', 'short name (anon-vma), package, or file', 'anon-vma')
    .addOption(new Option('--engine <name>', 'how interleavings are chosen').choices(ENGINES).default('bounded'))
    .option('--preemptions <n>', 'at most so many (bounded); one less than the depth (pct)', count, 2)
    .option('--seed <n>', 'of engines that draw', wholeNumber, 1)
    .option('--schedules <n>', 'stop after so many', positive)
    .option('--seconds <n>', 'stop after so long', positive)
    .option('--workers <n>', 'explore in so many worker threads', positive)
    .option('--shard <i/n>', 'explore only the i-th of n parts, in workers', shardFrom)
    .option('--resume <file>', 'keep what is done in a file, and go on from there; in workers')
    .option('--svg <file>', 'draw the schedule that fails into a file')
    .option('--html <file>', 'the same as a page, with its operations')
    .option('--list', 'print all scenarios, with what they are about')
    .option('--json', 'print one JSON document (rmap-lab/explore@1)')
    .addHelpText('after', '\nExample:\n  rmap-lab explore fork-x-walk --preemptions 3')
    .action(async (name: string | undefined, options: ExploreCommandOptions) => {
      if (options.list) process.stdout.write(list());
      else if (name === undefined)
        program.error("error: name a scenario; 'rmap-lab explore --list' prints them", { exitCode: 2 });
      else if (inWorkers(options) && !WORKERS.includes(options.engine))
        program.error('error: workers explore bounded, or draw: --engine bounded, pct, pos, random', { exitCode: 2 });
      else if (inWorkers(options) && options.engine === 'bounded' && options.schedules !== undefined)
        program.error('error: in workers, --schedules is for engines that draw', { exitCode: 2 });
      else if (options.engine === 'pct' && options.preemptions >= MAX_STEPS)
        program.error(`error: pct makes fewer than ${MAX_STEPS} preemptions, as a schedule has no more steps`, { exitCode: 2 });
      else {
        checkWritable(options.svg, options.html);
        process.exitCode = await apart([options.strategy], () => run(name, options));
      }
    });
}

/** Every scenario, with what it is about. */
function list(): string {
  const width = Math.max(...scenarios.map(({ name }) => name.length));
  return scenarios.map(({ name, description }) => `${name.padEnd(width)}  ${description}\n`).join('');
}

async function run(name: string, options: ExploreCommandOptions): Promise<number> {
  const { done: verdict, interrupted } = inWorkers(options) ? await parallel(name, options) : await alone(name, options);
  const document = documentOf(name, options.strategy, verdict);
  print(options.json ? `${JSON.stringify(document)}\n` : report(document, verdict));
  const { failure } = document;
  if (failure !== null && verdict.failure !== null)
    drawFailure(options, verdict.failure, `${name} under ${options.strategy}`, name, failure.token);
  if (interrupted) return exitCode.interrupted;
  return verdict.failure === null ? exitCode.fine : exitCode.broken;
}

/** What was covered; Ctrl-C ends it, with a verdict on what was done by then. */
type Explored = Awaited<ReturnType<typeof watched<Verdict>>>;

const inWorkers = ({ workers, shard, resume }: ExploreCommandOptions): boolean =>
  workers !== undefined || shard !== undefined || resume !== undefined;

async function alone(name: string, options: ExploreCommandOptions): Promise<Explored> {
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
  announce(options.strategy, `in a schedule of ${name}`);
  let made = 0;
  const program = noticed(kernelProgram(scenario, { strategy }), () => {
    made++;
    alive();
  });
  return watched('{value} schedules', (signal, bar) => exploreInTurns(program, { ...limits, signal }, () => bar.update(made)));
}

/** What is done is in the file, if there is one. */
function parallel(scenario: string, options: ExploreCommandOptions): Promise<Explored> {
  const { strategy, engine, preemptions, seed, schedules, seconds, workers, shard, resume } = options;
  const time = seconds === undefined ? [] : [AbortSignal.timeout(milliseconds(seconds))];
  announce(strategy, `in a schedule of ${scenario}`);
  return watched(undefined, (signal, bar) =>
    exploreParallel(
      { scenario, strategy, engine: engine as Job['engine'], preemptions },
      {
        shortNames,
        from: standing(),
        seed,
        ...(schedules !== undefined && { schedules }),
        ...(workers !== undefined && { workers }),
        ...(shard && { shard }),
        ...(resume !== undefined && { resume: resolve(standing(), resume) }),
        signal: AbortSignal.any([signal, ...time]),
        onSchedule: alive,
        onProgress: (done, total) => {
          bar.setTotal(total);
          bar.update(done);
        },
      },
    ),
  );
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
  const { rule, dropped, choices, operations, preemptions, recording, sought } = failure;
  const steps = recording.steps.map(({ what }) => what);
  return { rule, token: encodeToken({ scenario, dropped, strategy, rule, choices, steps, sought }), operations, preemptions };
}

function report({ scenario, strategy, failure }: ExploreDocument, verdict: Verdict): string {
  const { schedules, bound, seconds } = verdict;
  const what = `${scenario} under ${strategy}: ${verdict.verdict}; ${bound} (${schedules} schedules, ${seconds.toFixed(2)} s)\n`;
  if (verdict.failure === null || failure === null) return what;
  const operations = operationLines(scenario, verdict.failure.dropped).map((line) => `  ${line}\n`);
  return `${what}\n${timeline(verdict.failure)}\n${operations.join('')}\nrmap-lab replay ${failure.token}\n`;
}
