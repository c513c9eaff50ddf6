import { resolve } from 'node:path';
import { record } from '@rmap-lab/workloads';
import type { Command } from 'commander';
import { shown } from '../numbers.js';

export function addRecord(program: Command): void {
  program
    .command('record')
    .description('run a command on Linux and record what it and its descendants do to their memory')
    .option('-o, --output <file>', 'the trace to write', 'recorded.trace.gz')
    .argument('<command...>', 'the command and its arguments, after --')
    .addHelpText(
      'after',
      `
With root, tracefs and a C compiler every page fault is recorded, too; without them strace records system calls alone, and the
command says what is missing and left out: such a trace can be replayed, but no page is touched.

Ctrl-C ends the command, a second one the recording; what was recorded by then is kept.

Example:
  rmap-lab record -o mine.trace.gz -- make -j2`,
    )
    .action(async (command: string[], { output }: { output: string }) => {
      // npm changes into the clone's top; files are meant from where the user stands.
      const file = resolve(process.env.INIT_CWD ?? process.cwd(), output);
      const { method, missing, unexplained, leftOut, end } = await record(command, { output: file });
      const records = Object.values(end.counts).reduce((sum, n) => sum + n, 0);
      process.stderr.write(`rmap-lab: ${shown(records)} records (${method}) in ${output}\n`);
      if (unexplained > 0)
        process.stderr.write(
          `rmap-lab: ${shown(unexplained)} page faults were in memory that nothing recorded had mapped (a program of 32 bits, ` +
            'asynchronous I/O, memory attached before the recording): a replay stops at the first, or goes on with --skip-mismatches\n',
        );
      if (missing === null) return;
      process.stderr.write(
        `rmap-lab: no page faults were recorded: ${missing}\n` +
          'rmap-lab: a replay makes processes and mappings as the program did, touches no page, and has nothing of what exec mapped' +
          `${leftOut === 0 ? '' : `; ${leftOut} calls on that were left out`}\n`,
      );
    });
}
