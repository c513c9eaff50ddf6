import { messageOf, StrategyLoadError } from '@rmap-lab/core';
import { keepStdoutForResults, loadStrategy } from '@rmap-lab/core/load-strategy';
import type { ConformanceCase } from './case.js';
import { cases } from './cases/index.js';
import { runCase } from './run.js';
import type { ProcessData, ProcessMessage } from './run-apart.js';
import { checkVersions, WrongVersions } from './versions.js';

const say = (message: ProcessMessage): void => void process.send?.(message);
const known = new Map(cases.map((each) => [each.id, each]));

keepStdoutForResults();
// Ctrl-C is for whoever started this, who wants to know how the cases ended that are over.
process.on('SIGINT', () => {});
process.once('message', load);

async function load({ name, shortNames, from, ...options }: ProcessData): Promise<void> {
  const refuse = (error: unknown): void => {
    const names = error instanceof StrategyLoadError || error instanceof WrongVersions;
    say({ kind: 'refused', message: names ? error.message : `strategy '${name}' ended the run: ${messageOf(error)}` });
  };
  try {
    const { strategy, preset } = await loadStrategy(name, shortNames, from);
    checkVersions(strategy);
    process.on('message', (id: string) => {
      try {
        say({ kind: 'ended', result: runCase(known.get(id) as ConformanceCase, strategy, options) });
      } catch (error) {
        refuse(error);
      }
    });
    say({ kind: 'loaded', strategy: preset === null ? strategy.name : `${strategy.name}:${preset}` });
  } catch (error) {
    refuse(error);
  }
}
