import { type Growth, growthOf, type Measurement, measure } from '@rmap-lab/experiments';
import { openWorkload } from '@rmap-lab/workloads';
import Table from 'cli-table3';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { alive, announce, apart, print } from '../apart.js';
import { exitCode } from '../exit-codes.js';
import { bundledStrategies, loadStrategy, standing } from '../load-strategy.js';
import { collect, collectParameter } from '../parameters.js';

interface Varied {
  readonly name: string;
  readonly values: readonly number[];
}

/** A workload at several sizes. */
interface Series {
  readonly workload: string;
  readonly vary: Varied;
  readonly parameter: Readonly<Record<string, number>>;
}

interface GrowthOptions extends Partial<Series> {
  readonly strategy: readonly string[];
  readonly preset?: 'known-costs';
  readonly json?: boolean;
}

/**
 * What is known to cost the classic design: links of a line of forks, walks in a wide family, VMAs that a move or a fork keeps apart; and
 * what its critics expect to cost the CoW context: walks of a page that one of many descendants alone still has.
 */
const KNOWN_COSTS: readonly Series[] = [
  { workload: 'fork-chain', vary: { name: 'depth', values: [8, 16, 32, 64] }, parameter: { vmas: 1, pages: 4 } },
  { workload: 'fork-fan-out', vary: { name: 'children', values: [8, 16, 32, 64] }, parameter: { vmas: 2, pages: 8 } },
  { workload: 'left-behind', vary: { name: 'children', values: [8, 16, 32, 64] }, parameter: { vmas: 1, pages: 4 } },
  { workload: 'apart', vary: { name: 'pairs', values: [8, 16, 32, 64] }, parameter: {} },
];

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
    .option('--workload <name>', 'name of a generated workload')
    .option('--vary <name=a,b,c>', 'the parameter that grows, and its values', varied)
    .option('--parameter <name=n>', 'another parameter; may be repeated', collectParameter, {})
    .addOption(new Option('--preset <name>', 'what is known to cost the designs, instead of a workload').choices(['known-costs']))
    .option('--json', 'print one JSON document (rmap-lab/growth@1), or with --preset one a line')
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

async function run({ strategy, preset, workload, vary, parameter = {}, json }: GrowthOptions): Promise<number> {
  if (preset === undefined && (workload === undefined || vary === undefined)) {
    process.stderr.write('rmap-lab: growth needs a --workload and what to --vary, or a --preset\n');
    return exitCode.badInput;
  }
  const series = preset === undefined ? [{ workload: workload!, vary: vary!, parameter }] : KNOWN_COSTS;
  const names = strategy.length > 0 ? strategy : bundledStrategies();
  let failed = false;
  for (const one of series) {
    const document = await grow(one, names);
    failed ||= document.rows.some(({ failure }) => failure !== null);
    print(json ? `${JSON.stringify(document)}\n` : `${report(document)}\n`);
  }
  return failed ? exitCode.broken : exitCode.fine;
}

interface GrowthDocument {
  readonly schema: 'rmap-lab/growth@1';
  readonly workload: string;
  readonly parameter: string;
  readonly values: readonly number[];
  readonly rows: readonly { readonly strategy: string; readonly failure: string | null; readonly figures: readonly Growth[] }[];
}

async function grow({ workload, vary, parameter }: Series, names: readonly string[]): Promise<GrowthDocument> {
  const measured: { strategy: string; runs: Measurement[] }[] = [];
  for (const name of names) {
    const runs: Measurement[] = [];
    for (const value of vary.values) {
      const { strategy, preset } = await loadStrategy(name);
      announce(name, `on ${workload} with ${vary.name}=${value}`);
      const opened = await openWorkload(workload, { ...parameter, [vary.name]: value }, standing());
      runs.push(await measure(strategy, opened, { preset, onProgress: alive }));
    }
    measured.push({ strategy: name, runs });
  }
  const rows = measured.map(({ strategy, runs }) => ({
    strategy,
    failure: runs.find(({ failure }) => failure !== null)?.failure ?? null,
    figures: growthOf(vary.values, runs),
  }));
  return { schema: 'rmap-lab/growth@1', workload, parameter: vary.name, values: vary.values, rows };
}

function report({ workload, parameter, values, rows }: GrowthDocument): string {
  const table = new Table({
    head: ['figure', 'strategy', ...values.map((value) => `${parameter}=${value}`), `grows like ${parameter}^`, 'R²'],
    style: { head: [], border: [], compact: true },
  });
  const figures = new Set(rows.flatMap((row) => row.figures.map(({ figure }) => figure)));
  for (const name of figures) {
    for (const { strategy, figures: its } of rows) {
      const found = its.find(({ figure }) => figure === name);
      if (found === undefined) continue;
      const shown = found.values.map((value) => value.toLocaleString('en-US', { maximumFractionDigits: 1 }));
      table.push([name, strategy, ...shown, found.exponent?.toFixed(2) ?? '-', found.fit?.toFixed(3) ?? '-']);
    }
  }
  const failures = rows.flatMap(({ strategy, failure }) => (failure === null ? [] : [`${strategy} fails: ${failure}`]));
  return [workload, table.toString(), ...failures].join('\n');
}
