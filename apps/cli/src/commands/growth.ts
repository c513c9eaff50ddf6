import { growthOf, type Measurement, measure } from '@rmap-lab/experiments';
import { openWorkload } from '@rmap-lab/workloads';
import Table from 'cli-table3';
import { type Command, InvalidArgumentError } from 'commander';
import { alive, announce, apart, print } from '../apart.js';
import { exitCode } from '../exit-codes.js';
import { bundledStrategies, loadStrategy } from '../load-strategy.js';
import { collect, collectParameter } from '../parameters.js';

interface Varied {
  readonly name: string;
  readonly values: readonly number[];
}

interface GrowthOptions {
  readonly strategy: readonly string[];
  readonly workload: string;
  readonly vary: Varied;
  readonly parameter: Readonly<Record<string, number>>;
  readonly json?: boolean;
}

export function addGrowth(program: Command): void {
  program
    .command('growth')
    .description('run a generated workload at several sizes and fit how each strategy grows')
    .option(
      '--strategy <name>',
      'short name, package, or file, perhaps with :preset; may be repeated (default: all that come along)',
      collect,
      [],
    )
    .requiredOption('--workload <name>', 'name of a generated workload')
    .requiredOption('--vary <name=a,b,c>', 'the parameter that grows, and its values', varied)
    .option('--parameter <name=n>', 'another parameter; may be repeated', collectParameter, {})
    .option('--json', 'print one JSON document (rmap-lab/growth@1)')
    .addHelpText('after', '\nExample:\n  rmap-lab growth --workload fork-chain --vary depth=8,16,32,64')
    .action(async (options: GrowthOptions) => {
      process.exitCode = await apart(options.strategy, () => run(options));
    });
}

function varied(text: string): Varied {
  const [, name, values] = /^(\w+)=(\d+(?:,\d+)+)$/.exec(text) ?? [];
  if (name === undefined) throw new InvalidArgumentError('it must be like depth=8,16,32, with two values or more');
  return { name, values: values.split(',').map(Number) };
}

async function run({ strategy, workload, vary, parameter, json }: GrowthOptions): Promise<number> {
  const rows: { strategy: string; runs: Measurement[] }[] = [];
  for (const name of strategy.length > 0 ? strategy : bundledStrategies()) {
    const runs: Measurement[] = [];
    for (const value of vary.values) {
      const { strategy: loaded, preset } = await loadStrategy(name);
      announce(name, `on ${workload} with ${vary.name}=${value}`);
      const opened = await openWorkload(workload, { ...parameter, [vary.name]: value });
      runs.push(await measure(loaded, opened, { preset, onProgress: alive }));
    }
    rows.push({ strategy: name, runs });
  }
  const grown = rows.map(({ strategy: name, runs }) => ({
    strategy: name,
    failure: runs.find(({ failure }) => failure !== null)?.failure ?? null,
    figures: growthOf(vary.values, runs),
  }));
  const document = { schema: 'rmap-lab/growth@1', workload, parameter: vary.name, values: vary.values, rows: grown };
  print(json ? `${JSON.stringify(document)}\n` : `${report(document)}\n`);
  return grown.some(({ failure }) => failure !== null) ? exitCode.broken : exitCode.fine;
}

function report({
  workload,
  parameter,
  values,
  rows,
}: {
  workload: string;
  parameter: string;
  values: readonly number[];
  rows: readonly { strategy: string; failure: string | null; figures: ReturnType<typeof growthOf> }[];
}): string {
  const table = new Table({
    head: ['figure', 'strategy', ...values.map((value) => `${parameter}=${value}`), `grows like ${parameter}^`, 'R²'],
    style: { head: [], border: [], compact: true },
  });
  for (const i of rows[0].figures.keys()) {
    for (const { strategy, figures } of rows) {
      const { figure, values: measured, exponent, fit } = figures[i];
      const shown = measured.map((value) => value.toLocaleString('en-US', { maximumFractionDigits: 1 }));
      table.push([figure, strategy, ...shown, exponent?.toFixed(2) ?? '-', fit?.toFixed(3) ?? '-']);
    }
  }
  const failures = rows.flatMap(({ strategy, failure }) => (failure === null ? [] : [`${strategy} fails: ${failure}`]));
  return [workload, table.toString(), ...failures].join('\n');
}
