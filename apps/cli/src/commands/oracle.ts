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
import { positive, wholeNumber } from '../numbers.js';
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
    .option('--seed <n>', 'makes the same random programs again', wholeNumber, Math.floor(Math.random() * 2 ** 31))
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
seen is named. What differs is printed side by side with the shortest program that shows it.

Examples:
  rmap-lab oracle --operations 100000 --seed 1
  rmap-lab oracle --program shell-pipeline
  rmap-lab oracle --see layout --json
  rmap-lab oracle --recorded
  rmap-lab oracle --record answers.jsonl.gz --programs 1200`,
    )
    .action(async (options: OracleOptions) => {
      if (options.record !== undefined) {
        await record(options, resolve(standing(), options.record));
        return;
      }
      const report = await compare(options);
      printDifferences(report);
      process.stdout.write(options.json ? `${JSON.stringify(oracleDocument(report))}\n` : oracleText(report));
      if (report.differences.length > 0) process.exitCode = exitCode.broken;
    });
}

async function compare({ operations, see, seed, program, recorded }: OracleOptions): Promise<OracleReport> {
  if (recorded !== undefined)
    return compareRecording(await readRecording(recorded === true ? SHIPPED_RECORDING : resolve(standing(), recorded)), anonVma);
  return withOracle(see, (oracle) => {
    if (program !== undefined) return compareProgram(oracle, program, { strategy: anonVma, from: standing() });
    const onProgress = process.stderr.isTTY ? progress('operations', operations) : undefined;
    return campaign(oracle, { strategy: anonVma, operations, seed, onProgress });
  });
}

async function record({ programs, seed }: OracleOptions, file: string): Promise<void> {
  const onProgress = process.stderr.isTTY ? progress('programs', programs) : undefined;
  const { kernel } = await withOracle('everything', (oracle) =>
    recordAnswers(oracle, file, { strategy: anonVma, programs, seed, onProgress }),
  );
  process.stderr.write(`rmap-lab: what Linux ${kernel} answers to ${programs} programs is in ${file}\n`);
}

async function withOracle<T>(see: OracleOptions['see'], work: (oracle: Oracle) => Promise<T>): Promise<T> {
  const oracle = await Oracle.start({
    see,
    onWait: () => process.stderr.write('rmap-lab: another oracle has this machine; waiting for its turns\n'),
  });
  try {
    return await work(oracle);
  } finally {
    await oracle.stop();
  }
}

const progress =
  (what: string, all: number) =>
  (done: number): void => {
    process.stderr.write(done < all ? `\r${done.toLocaleString('en-US')} ${what}` : '\r\x1b[K');
  };
