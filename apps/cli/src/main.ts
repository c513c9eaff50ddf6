#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { conformanceCommand } from '@rmap-lab/conformance-suite/command';
import { ContractViolation, KernelError, SegmentationFault, StrategyLoadError, TraceError } from '@rmap-lab/core';
import { BadStore, BadSweep } from '@rmap-lab/experiments';
import { BadProgress, BadToken, Diverged, UnknownScenario, Unrestorable, Untraceable } from '@rmap-lab/explorer';
import { BadProgram, BadRecording, CannotObserve } from '@rmap-lab/kernel-oracle';
import { mindOutput } from '@rmap-lab/plumbing';
import { BadParameter, CannotRecord, UnknownWorkload } from '@rmap-lab/workloads';
import { Command } from 'commander';
import { announceEnd, BadPatience, blamed, StrategyMisbehaves } from './apart.js';
import { addCompare } from './commands/compare.js';
import { addExplore } from './commands/explore.js';
import { addGrowth } from './commands/growth.js';
import { addKernelInfo } from './commands/kernel-info.js';
import { addOracle } from './commands/oracle.js';
import { addRecord } from './commands/record.js';
import { addReplay } from './commands/replay.js';
import { addRun } from './commands/run.js';
import { addStrategies } from './commands/strategies.js';
import { addSweep } from './commands/sweep.js';
import { addWorkloads } from './commands/workloads.js';
import { exitCode } from './exit-codes.js';
import { shortNames, standing } from './load-strategy.js';
import { checkUsable } from './probe.js';

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string };

mindOutput('rmap-lab');
const program = new Command('rmap-lab')
  .description('A laboratory for Linux anonymous reverse mapping')
  .version(version)
  .configureHelp({ showGlobalOptions: true })
  .addHelpText(
    'after',
    `
Exit status:
  0    fine
  1    the strategy missed a mapping, broke a rule or threw, or the model differs from the kernel; the first witness is shown
  2    bad usage or bad input
  130  interrupted; what was printed is of what was done by then`,
  )
  .exitOverride();
addRun(program);
addCompare(program);
addSweep(program);
addGrowth(program);
addWorkloads(program);
addRecord(program);
addOracle(program);
addExplore(program);
addKernelInfo(program);
addReplay(program);
addStrategies(program);
program.addCommand(
  conformanceCommand({ name: 'conformance', under: 'rmap-lab', shortNames, from: standing() })
    .exitOverride()
    .hook('preAction', async ({ args: [strategy] }) => {
      if (strategy !== undefined) await checkUsable(strategy);
    }),
);

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = explain(error);
}
announceEnd();

/** Says what went wrong, in one line where the user can mend it; the exit status. */
function explain(error: unknown): number {
  if (error instanceof Error && 'exitCode' in error) return error.exitCode === 0 ? exitCode.fine : exitCode.badInput;
  const input = [
    TraceError,
    StrategyLoadError,
    StrategyMisbehaves,
    BadPatience,
    UnknownWorkload,
    BadParameter,
    CannotRecord,
    CannotObserve,
    BadProgram,
    BadRecording,
    BadSweep,
    BadStore,
    BadToken,
    BadProgress,
    Diverged,
    UnknownScenario,
    Untraceable,
    Unrestorable,
  ].some((kind) => error instanceof kind);
  if (input || isSystemError(error)) {
    process.stderr.write(`rmap-lab: ${(error as Error).message}\n`);
    return exitCode.badInput;
  }
  if (error instanceof ContractViolation || error instanceof KernelError || error instanceof SegmentationFault) {
    process.stderr.write(`rmap-lab: ${error.message}\n`);
    return exitCode.broken;
  }
  const blame = blamed(error);
  if (blame === null) throw error;
  process.stderr.write(`rmap-lab: ${blame}\n`);
  return exitCode.broken;
}

function isSystemError(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error;
}
