import { parentPort, workerData } from 'node:worker_threads';
import { keepStdoutForResults, loadStrategy } from '@rmap-lab/core/load-strategy';
import { runConformance, selectCases } from './run.js';
import type { WorkerData, WorkerMessage } from './run-apart.js';

const { name, shortNames, from, ...options } = workerData as WorkerData;
const say = (message: WorkerMessage): void => parentPort?.postMessage(message);

keepStdoutForResults();
try {
  const { strategy } = await loadStrategy(name, shortNames, from);
  const chosen = selectCases(options);
  say({ kind: 'begins', id: chosen[0]?.id ?? '' });
  say({
    kind: 'report',
    report: runConformance(strategy, {
      ...options,
      onResult: (result, done, of) => {
        say({ kind: 'result', result, done, of });
        if (done < of) say({ kind: 'begins', id: chosen[done].id });
      },
    }),
  });
} catch (error) {
  say({ kind: 'refused', message: error instanceof Error ? error.message : String(error) });
}
