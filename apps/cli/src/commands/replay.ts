import {
  Diverged,
  decodeToken,
  describeRecording,
  failureOf,
  kernelProgram,
  replay,
  scenarioNamed,
  type Token,
  timeline,
} from '@rmap-lab/explorer';
import type { Command } from 'commander';
import { announce, apart, print } from '../apart.js';
import { exitCode } from '../exit-codes.js';
import { loadStrategy } from '../load-strategy.js';
import { drawFailure, type PictureOptions } from '../pictures.js';

interface ReplayOptions extends PictureOptions {
  readonly strategy?: string;
}

export function addReplay(program: Command): void {
  program
    .command('replay')
    .description('run the schedule of a token again, step by step')
    .argument('<token>', 'as printed by `rmap-lab explore`')
    .option('--strategy <name>', 'another strategy than the one it was found in')
    .option('--svg <file>', 'draw the schedule into a file')
    .option('--html <file>', 'the same as a page, with its operations')
    .action(async (text: string, options: ReplayOptions) => {
      process.exitCode = await apart([options.strategy ?? decodeToken(text).strategy], () => run(text, options));
    });
}

async function run(text: string, options: ReplayOptions): Promise<number> {
  const token = decodeToken(text);
  const name = options.strategy ?? token.strategy;
  const { strategy } = await loadStrategy(name);
  announce(name, `in the schedule of ${token.scenario}`);
  const program = kernelProgram(scenarioNamed(token.scenario), { strategy });
  const failure = told(token, name, () => failureOf(program, token));
  const title = `${token.scenario} under ${name}`;
  if (failure === null) {
    print(`${title}: nothing is broken any more (it was ${token.rule})\n${describeRecording(replay(program, token))}`);
    return exitCode.fine;
  }
  const other = failure.rule === token.rule ? '' : `another rule is broken than the token's, ${token.rule}: `;
  print(`${title}: ${other}${timeline(failure)}`);
  drawFailure(options, failure, title, token.scenario, text);
  return exitCode.broken;
}

/** Runs a token again, under a strategy that may be another than the token's: then it is no wonder if its schedule can't be followed. */
function told<T>(token: Token, strategy: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof Diverged) || strategy === token.strategy) throw error;
    const { at, expected, found } = error;
    throw new Diverged(at, expected, found, `it was recorded under '${token.strategy}', and this is '${strategy}'`);
  }
}
