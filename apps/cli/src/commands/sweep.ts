import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { cellsOf, parseSweep, ResultStore, type StoredResult, type SweepSummary, sweep } from '@rmap-lab/experiments';
import { aboutFile } from '@rmap-lab/plumbing';
import { SingleBar } from 'cli-progress';
import Table from 'cli-table3';
import type { Command } from 'commander';
import { verdictOf } from '../compare-report.js';
import { exitCode } from '../exit-codes.js';
import { type LayoutName, layoutOf, layoutOption } from '../layout.js';
import { shortNames, standing } from '../load-strategy.js';
import { positive, shown } from '../numbers.js';
import { unusableOf } from '../probe.js';
import { shardFrom } from '../shard.js';

interface SweepCommandOptions {
  readonly out?: string;
  readonly shard?: { readonly index: number; readonly count: number };
  readonly workers?: number;
  readonly layout: LayoutName;
  readonly json?: boolean;
}

export function addSweep(program: Command): void {
  program
    .command('sweep')
    .description('run a grid of strategies, workloads and parameters over all cores; goes on where it was stopped')
    .argument('<file>', 'the grid, as JSON (see packages/experiments)')
    .option('--out <file>', 'where results are appended (default: the grid file with .results.jsonl)')
    .option('--shard <i/n>', 'run only the i-th of n parts', shardFrom)
    .option('--workers <n>', 'cells at once (default: one for each core)', positive)
    .addOption(layoutOption())
    .option('--json', 'print one JSON document (rmap-lab/sweep@1)')
    .addHelpText('after', '\nExample:\n  rmap-lab sweep grid.json --shard 1/4')
    .action(async (file: string, options: SweepCommandOptions) => {
      process.exitCode = await run(file, options);
    });
}

async function run(name: string, { out, shard, workers, layout: layoutName, json }: SweepCommandOptions): Promise<number> {
  const file = resolve(standing(), name);
  const spec = parseSweep(
    aboutFile(file, () => readFileSync(file, 'utf8')),
    name,
  );
  const layout = layoutOf(layoutName);
  const results = out ?? `${name.replace(/\.json$/, '')}.results.jsonl`;
  const store = new ResultStore(resolve(standing(), results));
  const interrupt = new AbortController();
  const stop = (): void => interrupt.abort();
  process.once('SIGINT', stop);
  const bar = new SingleBar({ stream: process.stderr, noTTYOutput: false, clearOnComplete: true });
  if (process.stderr.isTTY) bar.start(cellsOf(spec, layout).length, 0);
  let summary: SweepSummary;
  try {
    summary = await sweep(spec, store, {
      shortNames,
      from: standing(),
      unusable: await unusableOf(spec.strategies),
      ...(shard && { shard }),
      ...(workers && { workers }),
      ...(layout && { layout }),
      signal: interrupt.signal,
      onProgress: (done, total) => {
        bar.setTotal(total);
        bar.update(done);
      },
    });
  } finally {
    bar.stop();
    store.close();
    process.removeListener('SIGINT', stop);
  }
  process.stdout.write(json ? `${JSON.stringify({ schema: 'rmap-lab/sweep@1', ...summary })}\n` : `${report(summary)}\n`);
  if (interrupt.signal.aborted) return exitCode.interrupted;
  return summary.results.every(succeeded) ? exitCode.fine : exitCode.broken;
}

const succeeded = ({ outcome }: StoredResult): boolean => outcome.status === 'measured' && outcome.measurement.failure === null;

function report({ cells, found, run, results }: SweepSummary): string {
  const table = new Table({
    head: ['workload', 'parameters', 'strategy', 'seed', 'the design: peak KiB', 'result'],
    style: { head: [], border: [], compact: true },
  });
  for (const { cell, outcome } of results) {
    const { workload, parameters, strategy, seed } = cell;
    const chosen = Object.entries(parameters).map(([name, value]) => `${name}=${value}`);
    table.push([workload, chosen.join(' '), strategy, seed, ...figures(outcome)]);
  }
  return `${table.toString()}\n${cells} cells: ${found} were there, ${run} run now`;
}

function figures(outcome: StoredResult['outcome']): [string, string] {
  if (outcome.status !== 'measured') return ['', `${outcome.status}: ${outcome.blame}`];
  const { own, failure } = outcome.measurement;
  return [
    shown(own.together.bytes / 1024),
    failure === null ? verdictOf(outcome.measurement) : `fails: ${failure.split('\n')[0]}`,
  ];
}
