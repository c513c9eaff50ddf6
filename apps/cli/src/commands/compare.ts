import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { CellRunner, type Comparison, type Contender, compare } from '@rmap-lab/experiments';
import { openWorkload } from '@rmap-lab/workloads';
import { type Command, Option } from 'commander';
import { compareCsv, compareMarkdown, compareTable } from '../compare-report.js';
import type { CompareDocument } from '../compare-schema.js';
import { type CoverLetter, coverLetterCsv, coverLetterMarkdown, coverLetterTables } from '../cover-letter-report.js';
import { exitCode } from '../exit-codes.js';
import { type LayoutName, layoutOf, layoutOption } from '../layout.js';
import { bundledStrategies, isOutside, loadStrategy, shortNames, standing } from '../load-strategy.js';
import { positive, wholeNumber } from '../numbers.js';
import { parametersOption, strategiesOption } from '../parameters.js';
import { checkWritable } from '../pictures.js';
import { checkUsable } from '../probe.js';
import { type Watch, watchedByStrategy } from '../watched.js';
import { runCoverLetter } from './cover-letter.js';

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
  readonly svg?: string;
}

export function addCompare(program: Command): void {
  program
    .command('compare')
    .description('replay a workload under several strategies and print what each costs and finds, side by side')
    .addOption(strategiesOption())
    .option('--workload <name>', 'name of a workload (see `rmap-lab workloads`), or a trace file')
    .addOption(parametersOption())
    .addOption(
      new Option('--preset <name>', 'the comparison of a publication, instead of a workload')
        .choices(['cover-letter'])
        .conflicts(['strategy', 'workload']),
    )
    .option('--seed <n>', 'chooses the folios whose walks are sampled', wholeNumber, 1)
    .option('--seconds <n>', 'longest time of a strategy from outside', positive, 300)
    .addOption(layoutOption())
    .addOption(new Option('--json', 'print one JSON document (rmap-lab/compare@1)').conflicts(['markdown', 'csv']))
    .addOption(new Option('--markdown', 'print a table in Markdown').conflicts('csv'))
    .option('--csv', 'print comma-separated values')
    .option('--svg <file>', 'also draw memory and walks into this file')
    .addHelpText('after', '\nExample:\n  rmap-lab compare --workload fork-chain --parameter depth=8')
    .action(async (options: CompareCommandOptions) => {
      process.exitCode = await run(options);
    });
}

async function run(options: CompareCommandOptions): Promise<number> {
  const { workload, preset, parameter, seed } = options;
  if (workload === undefined && preset === undefined) {
    process.stderr.write('rmap-lab: compare needs a --workload, or a --preset\n');
    return exitCode.badInput;
  }
  checkWritable(options.svg);
  const layout = layoutOf(options.layout);
  const names = options.strategy.length > 0 ? [...new Set(options.strategy)] : bundledStrategies();
  await Promise.all(names.map(checkUsable));
  const runner = new CellRunner({
    shortNames,
    from: standing(),
    workers: 1,
    limits: { seconds: options.seconds, mebibytes: 2048 },
  });
  const chosen = async (name: string, watch: Watch): Promise<Comparison> => {
    const cell = { workload: name, parameters: parameter, seed, ...(layout && { layout }) };
    const contender = async (strategy: string): Promise<Contender> =>
      isOutside(strategy)
        ? { name: strategy, measure: (signal) => runner.run({ ...cell, strategy }, signal) }
        : await loadStrategy(strategy);
    return compare({
      ...watch,
      seed,
      ...(layout && { layout }),
      workload: () => openWorkload(name, parameter, standing()),
      contenders: await Promise.all(names.map(contender)),
    });
  };
  const all = async (watch: Watch): Promise<{ comparison: Comparison; letter?: CoverLetter }> =>
    workload === undefined
      ? runCoverLetter(parameter, { ...watch, seed, ...(layout && { layout }) })
      : { comparison: await chosen(workload, watch) };
  const { done, interrupted } = await watchedByStrategy(all).finally(() => runner.destroy());
  const { rows, failed } = done.comparison;
  if (rows.length > 0 || options.json) process.stdout.write(`${printed(done.comparison, done.letter, options)}\n`);
  if (options.svg !== undefined && rows.length > 0) await draw(done.comparison, options.svg);
  for (const { blame } of failed) process.stderr.write(`rmap-lab: ${blame}\n`);
  if (interrupted) return exitCode.interrupted;
  return failed.length > 0 || rows.some(({ failure }) => failure !== null) ? exitCode.broken : exitCode.fine;
}

/** Draws a comparison into a file. What draws is loaded here: other commands need not wait for it. */
async function draw(comparison: Comparison, file: string): Promise<void> {
  const { comparePlot } = await import('../compare-plot.js');
  writeFileSync(resolve(standing(), file), comparePlot(comparison));
}

function printed(
  comparison: Comparison,
  letter: CoverLetter | undefined,
  { json, markdown, csv }: CompareCommandOptions,
): string {
  if (json) return JSON.stringify(documentOf(comparison, letter));
  const [compared, lettered] = markdown
    ? [compareMarkdown, coverLetterMarkdown]
    : csv
      ? [compareCsv, coverLetterCsv]
      : [compareTable, coverLetterTables];
  return letter === undefined ? compared(comparison) : `${compared(comparison)}\n\n${lettered(letter)}`;
}

const documentOf = (comparison: Comparison, letter: CoverLetter | undefined): CompareDocument =>
  letter === undefined ? comparison : { ...comparison, coverLetter: letter };
