import { decodeToken, describeRecording, kernelProgram, replay, scenarioNamed } from '@rmap-lab/explorer';
import type { Command } from 'commander';
import { announce, apart, print } from '../apart.js';
import { exitCode } from '../exit-codes.js';
import { loadStrategy } from '../load-strategy.js';

export function addReplay(program: Command): void {
  program
    .command('replay')
    .description('run the schedule of a token again, step by step')
    .argument('<token>', 'as printed by `rmap-lab explore`')
    .option('--strategy <name>', 'another strategy than the one it was found in')
    .action(async (text: string, options: { readonly strategy?: string }) => {
      process.exitCode = await apart([options.strategy ?? decodeToken(text).strategy], () => run(text, options.strategy));
    });
}

async function run(text: string, other: string | undefined): Promise<number> {
  const token = decodeToken(text);
  const name = other ?? token.strategy;
  const { strategy } = await loadStrategy(name);
  announce(name, `in the schedule of ${token.scenario}`);
  const recording = replay(kernelProgram(scenarioNamed(token.scenario), { strategy }), token);
  const end = recording.error === null ? `nothing is broken any more (it was ${token.rule})` : recording.error.message;
  print(`${token.scenario} under ${name}: ${end}\n${describeRecording(recording)}`);
  return recording.error === null ? exitCode.fine : exitCode.broken;
}
