import { type CampaignReport, COLUMNS, campaign, Oracle, sideBySide } from '@rmap-lab/kernel-oracle';
import { anonVma } from '@rmap-lab/strategy-anon-vma';
import type { Command } from 'commander';
import { exitCode } from '../exit-codes.js';

/** What `oracle` may be told. */
interface OracleOptions {
  readonly operations: number;
  readonly seed: number;
  readonly json?: boolean;
}

export function addOracle(program: Command, wholeNumber: (text: string) => number): void {
  program
    .command('oracle')
    .description('run random programs on this Linux kernel and in the model, and compare all that can be seen')
    .option('--operations <n>', 'how many operations to compare', wholeNumber, 20_000)
    .option('--seed <n>', 'makes the same programs again', wholeNumber, Math.floor(Math.random() * 2 ** 31))
    .option('--json', 'print one document, schema rmap-lab/oracle@1')
    .addHelpText(
      'after',
      `
It takes Linux on x86-64, root, gcc, clang and libbpf. What differs is printed side by side with the shortest program that shows it.

Example:
  rmap-lab oracle --operations 100000 --seed 1`,
    )
    .action(async ({ operations, seed, json }: OracleOptions) => {
      const oracle = await Oracle.start();
      try {
        const onProgress = process.stderr.isTTY ? progress(operations) : undefined;
        const report = await campaign(oracle, { strategy: anonVma, operations, seed, onProgress });
        for (const difference of report.differences) process.stderr.write(`${sideBySide(difference)}\n\n`);
        process.stdout.write(json ? `${JSON.stringify(document(report))}\n` : text(report));
        if (report.differences.length > 0) process.exitCode = exitCode.broken;
      } finally {
        await oracle.stop();
      }
    });
}

const progress =
  (operations: number) =>
  (done: number): void => {
    process.stderr.write(done < operations ? `\r${done.toLocaleString('en-US')} operations` : '\r\x1b[K');
  };

const document = ({ operations, observations, differences, seed, byKind, seconds }: CampaignReport) => ({
  schema: 'rmap-lab/oracle@1',
  operations,
  observations,
  differences: differences.length,
  known: 0,
  columns: COLUMNS,
  operationsPerSecond: Math.round(operations / seconds),
  seed,
  byKind,
});

const text = ({ operations, observations, differences, seed, seconds }: CampaignReport): string =>
  `${operations.toLocaleString('en-US')} operations and ${observations.toLocaleString('en-US')} looks compared with this kernel, ` +
  `${differences.length} differences; seed ${seed}, ${Math.round(operations / seconds).toLocaleString('en-US')} operations/s\n` +
  `compared: ${COLUMNS.join(', ')}\n`;
