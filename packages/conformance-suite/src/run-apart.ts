import { fork } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { ShortNames } from '@rmap-lab/core/load-strategy';
import { answerOf } from '@rmap-lab/plumbing';
import { longest } from './defaults.js';
import { NoResult, reportFrom } from './heard.js';
import type { OnBegin } from './progress.js';
import { printable } from './report/printable.js';
import { type ConformanceOptions, type ConformanceReport, selectCases } from './run.js';

/** A strategy by name, run where it can't take the run down. */
export interface ApartOptions extends Omit<ConformanceOptions, 'onResult'> {
  readonly shortNames?: ShortNames;
  /** Files are meant from here. */
  readonly from: string;
  /** Longest time of one case. Default 60, with every interleaving 300. */
  readonly seconds?: number;
  readonly onBegin?: OnBegin;
}

/** What the process is told. */
export interface ProcessData extends Omit<ApartOptions, 'onBegin'> {
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
export function runApart(name: string, { onBegin, ...options }: ApartOptions): Promise<ConformanceReport> {
  const { seconds = longest(options.preemptions) } = options;
  const data: ProcessData = { name, ...options };
  const built = new URL('./process.js', import.meta.url);
  const child = fork(existsSync(fileURLToPath(built)) ? built : new URL('../dist/process.js', import.meta.url), {
    execArgv: ['--max-old-space-size=2048'],
    stdio: ['ignore', 2, 2, 'ipc'],
    serialization: 'advanced',
  });
  const cases = selectCases(options).length;
  let begun = 0;
  let current: string | null = null;
  const where = (): string => (current === null ? 'while it was loaded' : `in case ${current}`);
  return answerOf<unknown, ConformanceReport>(child, {
    task: data,
    // The strategy may say anything there, too.
    hear: (said) => {
      const { kind, id, message, report } = Object(said) as Record<string, unknown>;
      if (kind === 'refused' && typeof message === 'string') throw new StrategyUnusable(printable(message));
      if (kind !== 'begins' || typeof id !== 'string') return checked(name, () => reportFrom(report, options));
      current = printable(id);
      onBegin?.(current, begun++, cases);
      return undefined;
    },
    ended: (how) => new StrategyUnusable(`strategy '${name}' ended the program (${how}) ${where()}`),
    patience: {
      seconds,
      lost: () =>
        new StrategyUnusable(
          `strategy '${name}' took more than ${seconds} s ${where()}: does it go round there for ever? If not, --seconds gives it longer`,
        ),
    },
  });
}

/** @throws StrategyUnusable where that throws NoResult */
function checked(name: string, report: () => ConformanceReport): ConformanceReport {
  try {
    return report();
  } catch (error) {
    throw error instanceof NoResult ? new StrategyUnusable(`strategy '${name}' ${error.message}`) : error;
  }
}
