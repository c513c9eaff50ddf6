import type { ShortNames } from '@rmap-lab/core/load-strategy';
import { Command, InvalidArgumentError, Option } from 'commander';
import { again } from './again.js';
import { LEVELS, type Level } from './case.js';
import { PREEMPTIONS, SEED } from './defaults.js';
import { watched } from './progress.js';
import { documentOf } from './report/document.js';
import { junit } from './report/junit.js';
import { markdown } from './report/markdown.js';
import { pretty } from './report/pretty.js';
import { tap } from './report/tap.js';
import { type ConformanceOptions, type ConformanceReport, selectCases } from './run.js';
import { type ApartOptions, runApart, StrategyUnusable } from './run-apart.js';

const REPORTERS: Readonly<Record<string, (report: ConformanceReport, command: string) => string>> = {
  pretty,
  tap,
  junit,
  markdown,
  json: (report) => JSON.stringify(documentOf(report)),
};

/** Where the command stands. */
export interface CommandSetting {
  readonly name: string;
  /** What comes before the name: `rmap-lab` of `rmap-lab conformance`. */
  readonly under?: string;
  readonly shortNames?: ShortNames;
  /** Files are meant from here. */
  readonly from: string;
}

interface CommandOptions {
  readonly level?: readonly Level[];
  readonly grep?: string;
  readonly seed: number;
  readonly preemptions: number;
  readonly shard?: NonNullable<ConformanceOptions['shard']>;
  readonly reporter: string;
  readonly json?: boolean;
  readonly seconds?: number;
  readonly list?: boolean;
}

function wholeNumber(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('it must be a whole number');
  if (!Number.isSafeInteger(Number(text))) throw new InvalidArgumentError('it is too large');
  return Number(text);
}

const preemptions = (text: string): number => (text === 'all' ? Number.POSITIVE_INFINITY : wholeNumber(text));

function positive(text: string): number {
  const n = wholeNumber(text);
  if (n < 1) throw new InvalidArgumentError('it must be at least 1');
  return n;
}

function shard(text: string): NonNullable<ConformanceOptions['shard']> {
  const [, index, count] = /^(\d+)\/(\d+)$/.exec(text)?.map(Number) ?? [];
  if (!(index >= 1 && index <= count)) throw new InvalidArgumentError('it must be i/n, from 1/n to n/n');
  return { index, count };
}

/** The command that runs the suite on a strategy: exit status 0 when it conforms, 1 when a must-case or a sampled one failed, 2 when it could not run, 130 when it was interrupted. */
export function conformanceCommand({ name, under, shortNames, from }: CommandSetting): Command {
  return new Command(name)
    .description('check a strategy against the contract, case by case')
    .argument('[strategy]', 'a package, a file, or a short name')
    .addOption(new Option('--level <name...>', 'only these levels').choices(LEVELS))
    .option('--grep <text>', 'only cases whose id contains this')
    .option('--seed <n>', 'of random programs', wholeNumber, SEED)
    .option('--preemptions <n>', "of concurrent schedules, at most; 'all': every interleaving", preemptions, PREEMPTIONS)
    .option('--shard <i/n>', 'every n-th case from the i-th', shard)
    .addOption(new Option('--reporter <name>', 'how results are printed').choices(Object.keys(REPORTERS)).default('pretty'))
    .addOption(new Option('--json', 'the same as --reporter json: one document (rmap-lab/conformance@1)').conflicts('reporter'))
    .option('--seconds <n>', 'longest time of one case (default: 60, with every interleaving 300)', positive)
    .option('--list', 'print all cases')
    .addHelpText(
      'after',
      `
Exit status:
  0    it conforms
  1    a must-case or a sampled one failed
  2    bad usage, or it could not be run; what was printed is of the cases that were over by then
  130  interrupted; the same`,
    )
    .action(async (strategy: string | undefined, options: CommandOptions, command: Command) => {
      const cases = chosen(options);
      if (cases.length === 0) command.error("error: no case is chosen: '--list' prints all", { exitCode: 2 });
      if (options.list) process.stdout.write(cases.map(({ id, rule, title }) => `${rule}\t${id}\t${title}\n`).join(''));
      else if (strategy === undefined) command.error("error: name a strategy, such as './my-strategy.js'", { exitCode: 2 });
      else
        process.exitCode = await run(
          strategy,
          options,
          again(under === undefined ? name : `${under} ${name}`, strategy, options),
          {
            name,
            from,
            ...(shortNames && { shortNames }),
          },
        );
    });
}

const chosen = ({ level, grep, shard }: CommandOptions) =>
  selectCases({ ...(level && { levels: level }), ...(grep !== undefined && { grep }), ...(shard && { shard }) });

async function run(
  strategy: string,
  options: CommandOptions,
  command: string,
  { from, shortNames }: CommandSetting,
): Promise<number> {
  const { level, grep, seed, preemptions, shard, seconds } = options;
  const print = (report: ConformanceReport): void => {
    if (report.results.length > 0)
      process.stdout.write(`${REPORTERS[options.json ? 'json' : options.reporter](report, command)}\n`);
  };
  const interrupt = new AbortController();
  const stop = (): void => interrupt.abort();
  process.once('SIGINT', stop);
  try {
    const chosen: ApartOptions = {
      from,
      seed,
      preemptions,
      ...(seconds !== undefined && { seconds }),
      ...(shortNames && { shortNames }),
      ...(level && { levels: level }),
      ...(grep !== undefined && { grep }),
      ...(shard && { shard }),
      signal: interrupt.signal,
    };
    const report = await watched((onBegin) => runApart(strategy, { ...chosen, onBegin }));
    print(report);
    if (interrupt.signal.aborted) return 130;
    return report.conforms ? 0 : 1;
  } catch (error) {
    if (!(error instanceof StrategyUnusable)) throw error;
    if (error.soFar !== null) print(error.soFar);
    process.stderr.write(`${error.message}\n`);
    return 2;
  } finally {
    process.removeListener('SIGINT', stop);
  }
}
