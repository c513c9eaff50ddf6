import { type Growth, growthOf, type Measurement, measure } from '@rmap-lab/experiments';
import { openWorkload } from '@rmap-lab/workloads';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { alive, announce, apart, print } from '../apart.js';
import { exitCode } from '../exit-codes.js';
import { bundledStrategies, loadStrategy, standing } from '../load-strategy.js';
import { shown } from '../numbers.js';
import { parametersOption, strategiesOption } from '../parameters.js';
import { terminalTable } from '../tables.js';
import { type Watch, watchedByStrategy } from '../watched.js';

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
    .addOption(strategiesOption())
    .option('--workload <name>', 'name of a generated workload')
    .option('--vary <name=a,b,c>', 'the parameter that grows, and its values', varied)
    .addOption(parametersOption())
    .addOption(
      new Option('--preset <name>', 'what is known to cost the designs, instead of a workload')
        .choices(['known-costs'])
        .conflicts(['workload', 'vary', 'parameter']),
    )
    .option('--json', 'print one JSON document (rmap-lab/growth@1), or with --preset one a line')
    .addHelpText('after', '\nExample:\n  rmap-lab growth --workload fork-chain --vary depth=8,16,32,64')
    .action(async (options: GrowthOptions, command: Command) => {
      const { vary, parameter = {} } = options;
      if (vary !== undefined && Object.hasOwn(parameter, vary.name))
        command.error(`error: '${vary.name}' is the parameter that --vary varies: leave out --parameter ${vary.name}`);
      process.exitCode = await apart(options.strategy, () => run(options));
    });
}

function varied(text: string): Varied {
  const [, name, values] = /^(\w+)=(\d+(?:,\d+)+)$/.exec(text) ?? [];
  const numbers = values?.split(',').map(Number) ?? [];
  if (name === undefined || new Set(numbers).size < numbers.length)
    throw new InvalidArgumentError('it must be like depth=8,16,32, with two different values or more');
  return { name, values: numbers };
}

async function run({ strategy, preset, workload, vary, parameter = {}, json }: GrowthOptions): Promise<number> {
  if (preset === undefined && (workload === undefined || vary === undefined)) {
    process.stderr.write('rmap-lab: growth needs a --workload and what to --vary, or a --preset\n');
    return exitCode.badInput;
  }
  const series = preset === undefined ? [{ workload: workload!, vary: vary!, parameter }] : KNOWN_COSTS;
  const names = strategy.length > 0 ? [...new Set(strategy)] : bundledStrategies();
  let failed = false;
  for (const one of series) {
    const { done, interrupted } = await watchedByStrategy((watch) => grow(one, names, watch));
    failed ||= done.rows.some(({ failure }) => failure !== null);
    print(json ? `${JSON.stringify(done)}\n` : `${report(done)}\n`);
    if (interrupted) return exitCode.interrupted;
  }
  return failed ? exitCode.broken : exitCode.fine;
}

interface GrowthDocument {
  readonly schema: 'rmap-lab/growth@1';
  readonly workload: string;
  readonly parameter: string;
  readonly values: readonly number[];
  /** It was interrupted: figures may have fewer values. */
  readonly partial?: true;
  /** Strategies whose turn had not come by then, or whose first run was not done. */
  readonly notRun?: readonly string[];
  readonly rows: readonly { readonly strategy: string; readonly failure: string | null; readonly figures: readonly Growth[] }[];
}

async function grow(
  { workload, vary, parameter }: Series,
  names: readonly string[],
  { signal, onProgress }: Watch,
): Promise<GrowthDocument> {
  const measured: { strategy: string; runs: Measurement[] }[] = [];
  for (const name of names) {
    const runs: Measurement[] = [];
    for (const value of vary.values) {
      if (signal.aborted) break;
      const { strategy, preset } = await loadStrategy(name);
      announce(name, `on ${workload} with ${vary.name}=${value}`);
      const opened = await openWorkload(workload, { ...parameter, [vary.name]: value }, standing());
      const run = await measure(strategy, opened, {
        preset,
        signal,
        onProgress: (operations) => {
          alive();
          onProgress(`${name} on ${workload} with ${vary.name}=${value}`, operations);
        },
      });
      if (!run.stopped) runs.push(run);
    }
    measured.push({ strategy: name, runs });
  }
  const partial = measured.some(({ runs }) => runs.length < vary.values.length);
  const notRun = measured.filter(({ runs }) => runs.length === 0).map(({ strategy }) => strategy);
  const begun = measured.filter(({ runs }) => runs.length > 0);
  const rows = begun.map(({ strategy, runs }) => ({
    strategy,
    failure: runs.find(({ failure }) => failure !== null)?.failure ?? null,
    figures: growthOf(vary.values.slice(0, runs.length), runs),
  }));
  return {
    schema: 'rmap-lab/growth@1',
    workload,
    parameter: vary.name,
    values: vary.values,
    ...(partial && { partial, notRun }),
    rows,
  };
}

function report({ workload, parameter, values, partial, notRun = [], rows }: GrowthDocument): string {
  const head = ['figure', 'strategy', ...values.map((value) => `${parameter}=${value}`), `grows like ${parameter}^`, 'R²'];
  const lines: string[][] = [];
  const figures = new Set(rows.flatMap((row) => row.figures.map(({ figure }) => figure)));
  for (const name of figures) {
    for (const { strategy, figures: its } of rows) {
      const found = its.find(({ figure }) => figure === name);
      if (found === undefined) continue;
      const figures = values.map((_, i) => (found.values[i] == null ? '-' : shown(found.values[i])));
      lines.push([name, strategy, ...figures, found.exponent?.toFixed(2) ?? '-', found.fit?.toFixed(3) ?? '-']);
    }
  }
  const failures = rows.flatMap(({ strategy, failure }) => (failure === null ? [] : [`${strategy} fails: ${failure}`]));
  const missing = notRun.map((name) => `${name} was not run`);
  return [partial ? `${workload} (partial)` : workload, terminalTable(head, lines, head.length), ...missing, ...failures].join(
    '\n',
  );
}
