import { resolve } from 'node:path';
import {
  campaign,
  compareProgram,
  compareRecording,
  Oracle,
  type OracleReport,
  readRecording,
  recordAnswers,
  SHIPPED_RECORDING,
} from '@rmap-lab/kernel-oracle';
import { anonVma } from '@rmap-lab/strategy-anon-vma';
import { type Command, Option } from 'commander';
import { exitCode } from '../exit-codes.js';
import { standing } from '../load-strategy.js';
import { positive, shown, wholeNumber } from '../numbers.js';
import { oracleDocument, oracleText, printDifferences } from '../oracle-report.js';

/** What `oracle` may be told. */
interface OracleOptions {
  readonly operations: number;
  readonly see?: 'everything' | 'layout';
  readonly seed: number;
  readonly program?: string;
  readonly record?: string;
  readonly programs: number;
  readonly recorded?: string | true;
  readonly json?: boolean;
}

export function addOracle(program: Command): void {
  program
    .command('oracle')
    .description('run programs on this Linux kernel and in the model, and compare all that can be seen')
    .option('--operations <n>', 'how many operations of random programs to compare', positive, 20_000)
    .addOption(
      new Option('--seed <n>', 'makes the same random programs again')
        .argParser(wholeNumber)
        .default(Math.floor(Math.random() * 2 ** 31), 'another one each time'),
    )
    .addOption(
      new Option('--program <file>', 'compare one program: a JSON file of operations, or a workload by name or file').conflicts([
        'operations',
        'seed',
        'programs',
      ]),
    )
    .addOption(
      new Option(
        '--recorded [file]',
        'compare with what a kernel answered earlier: runs on any system (default: the shipped recording)',
      ).conflicts(['operations', 'seed', 'program', 'programs', 'see']),
    )
    .addOption(
      new Option('--record <file>', 'write down what this kernel answers to random programs').conflicts([
        'operations',
        'program',
        'recorded',
        'see',
        'json',
      ]),
    )
    .option('--programs <n>', 'how many programs to record', positive, 1_200)
    .addOption(
      new Option('--see <what>', 'refuse to see less, or do with what anybody may see').choices(['everything', 'layout']),
    )
    .option('--json', 'print one document, schema rmap-lab/oracle@1')
    .addHelpText(
      'after',
      `
With root, type information (BTF), gcc, clang and libbpf everything is compared. Without one of them, and with gcc, that is done which
anybody may do: programs that change no settings of the system, whose results, VMAs and presence of pages are compared; what is not
seen is named. What differs is printed side by side with the shortest program that shows it. Ctrl-C ends it early: what was found or
recorded by then is kept, and the system's settings are put back.

Examples:
  rmap-lab oracle --operations 100000 --seed 1
  rmap-lab oracle --program shell-pipeline
  rmap-lab oracle --see layout --json
  rmap-lab oracle --recorded
  rmap-lab oracle --record answers.jsonl.gz --programs 1200`,
    )
    .action(async (options: OracleOptions, command: Command) => {
      if (options.record === undefined && command.getOptionValueSource('programs') === 'cli')
        command.error("error: option '--programs <n>' says how many to record: add --record FILE, or use --operations <n>");
      process.exitCode =
        options.record === undefined ? await compare(options) : await record(options, resolve(standing(), options.record));
    });
}

async function compare(options: OracleOptions): Promise<number> {
  const report = await reportOf(options);
  printDifferences(report);
  process.stdout.write(options.json ? `${JSON.stringify(oracleDocument(report))}\n` : oracleText(report));
  if (report.partial) return exitCode.interrupted;
  return report.differences.length > 0 ? exitCode.broken : exitCode.fine;
}

async function reportOf({ operations, see, seed, program, recorded }: OracleOptions): Promise<OracleReport> {
  if (recorded !== undefined) {
    const recording = await readRecording(recorded === true ? SHIPPED_RECORDING : resolve(standing(), recorded));
    return interruptible((signal) => compareRecording(recording, anonVma, signal));
  }
  return withOracle(see, (oracle, signal) => {
    if (program !== undefined) return compareProgram(oracle, program, { strategy: anonVma, from: standing(), signal });
    const onProgress = process.stderr.isTTY ? progress('operations') : undefined;
    return campaign(oracle, { strategy: anonVma, operations, seed, onProgress, signal });
  });
}

async function record({ programs, seed }: OracleOptions, file: string): Promise<number> {
  const onProgress = process.stderr.isTTY ? progress('programs') : undefined;
  const { kernel, programs: done } = await withOracle('everything', (oracle, signal) =>
    recordAnswers(oracle, file, { strategy: anonVma, programs, seed, onProgress, signal }),
  );
  const what = done === 0 ? 'no program was answered' : `what Linux ${kernel} answers to ${done} programs is in ${file}`;
  process.stderr.write(`rmap-lab: ${done < programs ? 'interrupted; ' : ''}${what}\n`);
  return done < programs ? exitCode.interrupted : exitCode.fine;
}

async function withOracle<T>(see: OracleOptions['see'], work: (oracle: Oracle, signal: AbortSignal) => Promise<T>): Promise<T> {
  const oracle = await Oracle.start({
    see,
    onWait: () => process.stderr.write('rmap-lab: another oracle has this machine; waiting for its turns\n'),
  });
  try {
    return await interruptible((signal) => work(oracle, signal));
  } finally {
    if (process.stderr.isTTY) process.stderr.write(CLEAR_LINE);
    await oracle.stop();
  }
}

/** Ctrl-C asks `work` to end, so that it can report and put settings back; a second one does not wait for that. */
async function interruptible<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const interrupt = new AbortController();
  const stop = (): void => {
    process.stderr.write(
      'rmap-lab: ending; interrupted again, it ends at once, and leaves the settings of the system to the next run\n',
    );
    interrupt.abort();
  };
  process.once('SIGINT', stop).once('SIGTERM', stop);
  try {
    return await work(interrupt.signal);
  } finally {
    process.off('SIGINT', stop).off('SIGTERM', stop);
  }
}

/** Takes away what is left of {@link progress}. */
const CLEAR_LINE = '\r\x1b[K';

const progress =
  (what: string) =>
  (done: number): void => {
    process.stderr.write(`\r${shown(done)} ${what}`);
  };
