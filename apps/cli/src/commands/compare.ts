import { CellRunner, type Comparison, type Contender, compare } from '@rmap-lab/experiments';
import { openWorkload } from '@rmap-lab/workloads';
import { SingleBar } from 'cli-progress';
import { type Command, Option } from 'commander';
import { compareCsv, compareMarkdown, compareTable } from '../compare-report.js';
import { COVER_LETTER, coverLetterLines, coverLetterTable } from '../cover-letter.js';
import { exitCode } from '../exit-codes.js';
import { type LayoutName, layoutOf, layoutOption } from '../layout.js';
import { bundledStrategies, isOutside, loadStrategy, shortNames, standing } from '../load-strategy.js';
import { collect, collectParameter } from '../parameters.js';
import { checkUsable } from '../probe.js';

interface CompareCommandOptions {
  readonly strategy: readonly string[];
  readonly workload?: string;
  readonly preset?: 'cover-letter';
  readonly parameter: Readonly<Record<string, number>>;
  readonly seed: number;
  readonly seconds: number;
  readonly layout: LayoutName;
  readonly json?: boolean;
  readonly markdown?: boolean;
  readonly csv?: boolean;
}

export function addCompare(program: Command, wholeNumber: (text: string) => number): void {
  program
    .command('compare')
    .description('replay a workload under several strategies and print what each costs and finds, side by side')
    .option(
      '--strategy <name>',
      'short name, package, or file, perhaps with :preset; may be repeated (default: all that come along)',
      collect,
      [],
    )
    .option('--workload <name>', 'name of a workload (see `rmap-lab workloads`), or a trace file')
    .option('--parameter <name=n>', 'parameter of a generated workload; may be repeated', collectParameter, {})
    .addOption(new Option('--preset <name>', 'the comparison of a publication, instead of a workload').choices(['cover-letter']))
    .option('--seed <n>', 'chooses the folios whose walks are sampled', wholeNumber, 1)
    .option('--seconds <n>', 'longest time of a strategy from outside', wholeNumber, 300)
    .addOption(layoutOption())
    .option('--json', 'print one JSON document (rmap-lab/compare@1)')
    .option('--markdown', 'print a table in Markdown')
    .option('--csv', 'print comma-separated values')
    .addHelpText('after', '\nExample:\n  rmap-lab compare --workload fork-chain --parameter depth=8')
    .action(async (options: CompareCommandOptions) => {
      process.exitCode = await run(options);
    });
}

async function run(options: CompareCommandOptions): Promise<number> {
  const workload = options.preset === undefined ? options.workload : COVER_LETTER.workload;
  if (workload === undefined) {
    process.stderr.write('rmap-lab: compare needs a --workload, or a --preset\n');
    return exitCode.badInput;
  }
  const layout = layoutOf(options.layout);
  const names = namesFrom(options);
  await Promise.all(names.map(checkUsable));
  const runner = new CellRunner({
    shortNames,
    from: standing(),
    workers: 1,
    limits: { seconds: options.seconds, mebibytes: 2048 },
  });
  const cell = { workload, parameters: options.parameter, seed: options.seed, ...(layout && { layout }) };
  const contender = async (name: string): Promise<Contender> =>
    isOutside(name) ? { name, measure: (signal) => runner.run({ ...cell, strategy: name }, signal) } : await loadStrategy(name);
  const contenders = await Promise.all(names.map(contender));
  const interrupt = new AbortController();
  const stop = (): void => interrupt.abort();
  process.once('SIGINT', stop);
  const bar = new SingleBar({
    format: '{strategy}: {value} operations',
    stream: process.stderr,
    noTTYOutput: false,
    clearOnComplete: true,
  });
  if (process.stderr.isTTY) bar.start(0, 0, { strategy: '' });
  let comparison: Comparison;
  try {
    comparison = await compare({
      workload: () => openWorkload(workload, options.parameter),
      contenders,
      seed: options.seed,
      ...(layout && { layout }),
      signal: interrupt.signal,
      onProgress: (strategy, operations) => bar.update(operations, { strategy }),
    });
  } finally {
    bar.stop();
    await runner.destroy();
    process.removeListener('SIGINT', stop);
  }
  if (comparison.rows.length > 0 || options.json) process.stdout.write(`${printed(comparison, options)}\n`);
  for (const { blame } of comparison.failed) process.stderr.write(`rmap-lab: ${blame}\n`);
  if (interrupt.signal.aborted) return exitCode.interrupted;
  const failed = comparison.failed.length > 0 || comparison.rows.some(({ failure }) => failure !== null);
  return failed ? exitCode.broken : exitCode.fine;
}

function namesFrom({ preset, strategy }: CompareCommandOptions): readonly string[] {
  if (preset !== undefined) return [COVER_LETTER.before, COVER_LETTER.after];
  return strategy.length > 0 ? strategy : bundledStrategies();
}

function printed(comparison: Comparison, { json, markdown, csv, preset }: CompareCommandOptions): string {
  if (json)
    return JSON.stringify(preset === undefined ? comparison : { ...comparison, coverLetter: coverLetterLines(comparison) });
  if (markdown) return compareMarkdown(comparison);
  if (csv) return compareCsv(comparison);
  return preset === undefined ? compareTable(comparison) : `${compareTable(comparison)}\n\n${coverLetterTable(comparison)}`;
}
