import { keepStdoutForResults, loadStrategy } from '@rmap-lab/core/load-strategy';
import { runConformance, selectCases } from './run.js';
import type { ProcessData, ProcessMessage } from './run-apart.js';

const say = (message: ProcessMessage): void => void process.send?.(message);

keepStdoutForResults();
process.once('message', run);

async function run({ name, shortNames, from, ...options }: ProcessData): Promise<void> {
  try {
    const { strategy } = await loadStrategy(name, shortNames, from);
    const chosen = selectCases(options);
    say({ kind: 'begins', id: chosen[0]?.id ?? '' });
    say({
      kind: 'report',
      report: runConformance(strategy, {
        ...options,
        onResult: (_result, done, of) => {
          if (done < of) say({ kind: 'begins', id: chosen[done].id });
        },
      }),
    });
  } catch (error) {
    say({ kind: 'refused', message: error instanceof Error ? error.message : String(error) });
  }
}
