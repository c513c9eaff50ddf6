import { Kernel, type RmapStrategy } from '@rmap-lab/core';
import { distribution } from '@rmap-lab/experiments';
import { openWorkload, type ReplayReport, recordedMachine, replay, type Workload, workloads } from '@rmap-lab/workloads';
import { SingleBar } from 'cli-progress';
import { type Command, Option } from 'commander';
import { alive, announce, apart, print } from '../apart.js';
import { exitCode } from '../exit-codes.js';
import { ACTIVITY_LEVELS, type ActivityLevel, KernelActivity } from '../kernel-activity.js';
import { type LayoutName, layoutOf, layoutOption } from '../layout.js';
import { loadStrategy, standing } from '../load-strategy.js';
import { wholeNumber } from '../numbers.js';
import { Observer } from '../observer.js';
import { runReport } from '../run-report.js';
import type { RunDocument } from '../run-schema.js';

interface RunOptions {
  readonly strategy: string;
  readonly workload: string;
  readonly seed: number;
  readonly kernelActivity?: ActivityLevel;
  readonly layout: LayoutName;
  readonly json?: boolean;
  readonly skipMismatches?: boolean;
}

export function addRun(program: Command): void {
  program
    .command('run')
    .description('replay a workload under a strategy, check every mapping, and print what it cost')
    .option('--strategy <name>', 'short name (anon-vma), package, or file', 'anon-vma')
    .requiredOption('--workload <name>', 'name of a workload (see `rmap-lab workloads`), or a trace file')
    .option('--seed <n>', 'chooses the folios whose walks are sampled, and what the kernel does meanwhile', wholeNumber, 1)
    .addOption(
      new Option(
        '--kernel-activity <level>',
        'reclaim, migrate, collapse, split and merge meanwhile, chosen by the seed',
      ).choices(ACTIVITY_LEVELS),
    )
    .option('--skip-mismatches', 'go on where the model answers differently from the recorded kernel, and count it')
    .addOption(layoutOption())
    .option('--json', 'print one JSON document (rmap-lab/run@1)')
    .addHelpText('after', '\nExample:\n  rmap-lab run --strategy anon-vma --workload fork-chain')
    .action(async (options: RunOptions) => {
      process.exitCode = await apart([options.strategy], () => run(options));
    });
}

async function run(options: RunOptions): Promise<number> {
  const { strategy, preset } = await loadStrategy(options.strategy);
  announce(options.strategy, `on ${options.workload}`);
  const workload = await openWorkload(options.workload, {}, standing());
  const known = (await workloads()).find(({ name }) => name === workload.name);
  const measured = await measure(strategy, workload, known?.operations ?? null, options);
  const { witness } = measured;
  const document = preset === null ? measured.document : { ...measured.document, strategy: `${strategy.name}:${preset}` };
  print(options.json ? `${JSON.stringify(document)}\n` : `${runReport(document)}\n`);
  if (witness !== null) {
    process.stderr.write(`${witness}\n`);
    return exitCode.broken;
  }
  return document.partial ? exitCode.interrupted : exitCode.fine;
}

/** Replays once, watched. The witness is the first thing that was wrong. */
async function measure(
  strategy: RmapStrategy,
  workload: Workload,
  operations: number | null,
  { seed, skipMismatches, kernelActivity, layout: layoutName }: RunOptions,
): Promise<{ document: RunDocument; witness: string | null }> {
  const layout = layoutOf(layoutName);
  const recorded = await recordedMachine(workload.records);
  const kernel = new Kernel({ strategy, ...recorded.options, ...(layout && { layout }) });
  const observer = new Observer(kernel, operations, seed);
  const activity = kernelActivity === undefined ? null : new KernelActivity(kernel, kernelActivity, seed);
  const records = activity === null ? recorded.records : activity.between(recorded.records);
  const interrupt = new AbortController();
  const stop = (): void => interrupt.abort();
  process.once('SIGINT', stop);
  const bar = new SingleBar({ stream: process.stderr, noTTYOutput: false, clearOnComplete: true });
  if (process.stderr.isTTY && operations !== null) bar.start(operations, 0);
  const started = performance.now();
  let report: ReplayReport;
  try {
    report = await replay(kernel, observer.watch(records), {
      name: workload.name,
      onMismatch: skipMismatches ? 'skip' : 'stop',
      signal: interrupt.signal,
      onProgress: (soFar) => {
        alive();
        bar.update(soFar.operations);
      },
    });
  } finally {
    bar.stop();
    process.removeListener('SIGINT', stop);
  }
  observer.look();
  const seconds = (performance.now() - started) / 1000;
  return {
    document: {
      ...documentOf(strategy.name, workload.name, seed, kernel, observer, report, seconds),
      ...(activity === null ? {} : { kernelActivity: { ...activity.counts } }),
    },
    witness: observer.witness,
  };
}

function documentOf(
  strategy: string,
  workload: string,
  seed: number,
  kernel: Kernel,
  observer: Observer,
  report: ReplayReport,
  seconds: number,
): RunDocument {
  const { slab, locks, vmas, pages } = kernel.stats();
  const { operations: total, refused, byKind, touches, unexplained, mismatches, stopped } = report;
  return {
    schema: 'rmap-lab/run@1',
    strategy,
    workload,
    seed,
    ...(stopped ? { partial: true as const } : {}),
    ...(observer.leftOut === null ? {} : { leftOut: observer.leftOut }),
    operations: { total, refused, byKind: { ...byKind } },
    replay: { touches, unexplained, mismatches },
    processes: { peak: observer.processes.peak, total: observer.processes.total },
    vmas,
    pages,
    slab,
    locks,
    walks: { sampled: observer.candidates.length, candidates: distribution(observer.candidates), mappings: observer.mappings },
    verify: { ...observer.verify },
    seconds,
    operationsPerSecond: seconds === 0 ? 0 : total / seconds,
  };
}
