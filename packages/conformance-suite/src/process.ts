import { messageOf, StrategyLoadError } from '@rmap-lab/core';
import { keepStdoutForResults, loadStrategy } from '@rmap-lab/core/load-strategy';
import { runConformance, selectCases } from './run.js';
import type { ProcessData, ProcessMessage } from './run-apart.js';
import { WrongVersions } from './versions.js';

const say = (message: ProcessMessage): void => void process.send?.(message);

keepStdoutForResults();
process.once('message', run);

async function run({ name, shortNames, from, ...options }: ProcessData): Promise<void> {
  try {
    const { strategy, preset } = await loadStrategy(name, shortNames, from);
    const chosen = selectCases(options);
    say({ kind: 'begins', id: chosen[0]?.id ?? '' });
    const report = runConformance(strategy, {
      ...options,
      onResult: (_result, done, of) => {
        if (done < of) say({ kind: 'begins', id: chosen[done].id });
      },
    });
    say({ kind: 'report', report: preset === null ? report : { ...report, strategy: `${report.strategy}:${preset}` } });
  } catch (error) {
    const names = error instanceof StrategyLoadError || error instanceof WrongVersions;
    say({ kind: 'refused', message: names ? error.message : `strategy '${name}' ended the run: ${messageOf(error)}` });
  }
}
