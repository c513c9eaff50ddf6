#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { ContractViolation, InputError, KernelError, SegmentationFault } from '@rmap-lab/core';
import { mindOutput } from '@rmap-lab/plumbing';
import { Command } from 'commander';
import { announceEnd, blamed } from './apart.js';
import { exitCode } from './exit-codes.js';

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

/** In the order of the help. A command that is named is loaded alone, which takes half the time. */
const commands: Readonly<Record<string, () => Promise<(program: Command) => void>>> = {
  run: async () => (await import('./commands/run.js')).addRun,
  compare: async () => (await import('./commands/compare.js')).addCompare,
  sweep: async () => (await import('./commands/sweep.js')).addSweep,
  growth: async () => (await import('./commands/growth.js')).addGrowth,
  workloads: async () => (await import('./commands/workloads.js')).addWorkloads,
  record: async () => (await import('./commands/record.js')).addRecord,
  oracle: async () => (await import('./commands/oracle.js')).addOracle,
  explore: async () => (await import('./commands/explore.js')).addExplore,
  'kernel-info': async () => (await import('./commands/kernel-info.js')).addKernelInfo,
  replay: async () => (await import('./commands/replay.js')).addReplay,
  strategies: async () => (await import('./commands/strategies.js')).addStrategies,
  probe: async () => (await import('./commands/probe.js')).addProbe,
  conformance: async () => (await import('./commands/conformance.js')).addConformance,
};
const [, , first = ''] = process.argv;
for (const load of Object.hasOwn(commands, first) ? [commands[first]] : Object.values(commands)) (await load())(program);

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = explain(error);
}
announceEnd();

/** Says what went wrong, in one line where the user can mend it; the exit status. */
function explain(error: unknown): number {
  if (error instanceof Error && 'exitCode' in error) return error.exitCode === 0 ? exitCode.fine : exitCode.badInput;
  if (error instanceof InputError || isSystemError(error)) {
    process.stderr.write(`rmap-lab: ${error.message}\n`);
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

function isSystemError(error: unknown): error is Error {
  return error instanceof Error && 'syscall' in error;
}
