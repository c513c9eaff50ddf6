import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import type { ShortNames } from '@rmap-lab/core/load-strategy';
import type { CaseResult, ConformanceOptions, ConformanceReport } from './run.js';

/** A strategy by name, run where it can't take the run down. */
export interface ApartOptions extends Omit<ConformanceOptions, 'onResult'> {
  readonly shortNames?: ShortNames;
  /** Files are meant from here. */
  readonly from: string;
  /** Longest time of one case. Default 60. */
  readonly seconds?: number;
  readonly onResult?: ConformanceOptions['onResult'];
}

/** What the worker is told. */
export interface WorkerData extends Omit<ApartOptions, 'onResult'> {
  readonly name: string;
}

/** What the worker says: what it begins, what ended how, and the report; or why it can't. */
export type WorkerMessage =
  | { readonly kind: 'begins'; readonly id: string }
  | { readonly kind: 'result'; readonly result: CaseResult; readonly done: number; readonly of: number }
  | { readonly kind: 'report'; readonly report: ConformanceReport }
  | { readonly kind: 'refused'; readonly message: string };

/** The strategy can't be loaded, or not be run to the end: it hangs, exits, or uses up memory. */
export class StrategyUnusable extends Error {
  override readonly name = 'StrategyUnusable';
}

/**
 * Runs the suite on a strategy loaded by name, in a thread of its own. @throws StrategyUnusable naming the
 * strategy and the case
 */
export function runApart(name: string, { onResult, ...options }: ApartOptions): Promise<ConformanceReport> {
  const { seconds = 60 } = options;
  const workerData: WorkerData = { name, ...options };
  const built = new URL('./worker.js', import.meta.url);
  const worker = new Worker(existsSync(fileURLToPath(built)) ? built : new URL('../dist/worker.js', import.meta.url), {
    workerData,
    resourceLimits: { maxOldGenerationSizeMb: 2048 },
  });
  let timer: NodeJS.Timeout | undefined;
  return new Promise<ConformanceReport>((resolve, reject) => {
    let current = 'while it was loaded';
    const late = (): void => reject(new StrategyUnusable(`strategy '${name}' took more than ${seconds} s ${current}`));
    timer = setTimeout(late, seconds * 1000);
    worker.on('message', (message: WorkerMessage) => {
      clearTimeout(timer);
      timer = setTimeout(late, seconds * 1000);
      if (message.kind === 'begins') current = `in case ${message.id}`;
      else if (message.kind === 'result') onResult?.(message.result, message.done, message.of);
      else if (message.kind === 'report') resolve(message.report);
      else reject(new StrategyUnusable(message.message));
    });
    worker.on('error', (error) => reject(new StrategyUnusable(`strategy '${name}' broke down ${current}: ${error.message}`)));
    worker.on('exit', () => reject(new StrategyUnusable(`strategy '${name}' ended the program ${current}`)));
  }).finally(() => {
    clearTimeout(timer);
    return worker.terminate();
  });
}
