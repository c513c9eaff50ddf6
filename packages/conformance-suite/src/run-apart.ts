import { fork } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { ShortNames } from '@rmap-lab/core/load-strategy';
import { milliseconds } from '@rmap-lab/plumbing';
import type { ConformanceOptions, ConformanceReport } from './run.js';

/** A strategy by name, run where it can't take the run down. */
export interface ApartOptions extends Omit<ConformanceOptions, 'onResult'> {
  readonly shortNames?: ShortNames;
  /** Files are meant from here. */
  readonly from: string;
  /** Longest time of one case. Default 60. */
  readonly seconds?: number;
}

/** What the process is told. */
export interface ProcessData extends ApartOptions {
  readonly name: string;
}

/** What the process says: what it begins, and the report; or why it can't. */
export type ProcessMessage =
  | { readonly kind: 'begins'; readonly id: string }
  | { readonly kind: 'report'; readonly report: ConformanceReport }
  | { readonly kind: 'refused'; readonly message: string };

/** The strategy can't be loaded, or not be run to the end: it hangs, ends its process, or uses up memory. */
export class StrategyUnusable extends Error {
  override readonly name = 'StrategyUnusable';
}

/**
 * Runs the suite on a strategy loaded by name, in a process of its own. @throws StrategyUnusable naming the
 * strategy and the case
 */
export function runApart(name: string, options: ApartOptions): Promise<ConformanceReport> {
  const { seconds = 60 } = options;
  const data: ProcessData = { name, ...options };
  const built = new URL('./process.js', import.meta.url);
  const child = fork(existsSync(fileURLToPath(built)) ? built : new URL('../dist/process.js', import.meta.url), {
    execArgv: ['--max-old-space-size=2048'],
    stdio: ['ignore', 2, 2, 'ipc'],
    serialization: 'advanced',
  });
  let timer: NodeJS.Timeout | undefined;
  return new Promise<ConformanceReport>((resolve, reject) => {
    let current = 'while it was loaded';
    const late = (): void => reject(new StrategyUnusable(`strategy '${name}' took more than ${seconds} s ${current}`));
    const wait = (): void => {
      clearTimeout(timer);
      timer = setTimeout(late, milliseconds(seconds));
    };
    wait();
    child.on('message', (message: ProcessMessage) => {
      wait();
      if (message.kind === 'begins') current = `in case ${message.id}`;
      else if (message.kind === 'report') resolve(message.report);
      else reject(new StrategyUnusable(message.message));
    });
    child.on('error', reject);
    // Only then has all come that it said before it ended.
    child.on('close', (status, signal) =>
      reject(new StrategyUnusable(`strategy '${name}' ended the program (${signal ?? `exit status ${status}`}) ${current}`)),
    );
    child.send(data, (error) => error && reject(error));
  }).finally(() => {
    clearTimeout(timer);
    child.kill('SIGKILL');
  });
}
