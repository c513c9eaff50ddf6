import { SingleBar } from 'cli-progress';
import type { OnRound } from './measure.js';

/** Measures a row, and shows on a terminal how far that is. What is measured hears no signals, so Ctrl-C ends the program as if there were no bar. */
export async function watched<T>(row: string, measure: (onRound: OnRound) => T | Promise<T>): Promise<T> {
  const bar = new SingleBar({
    format: '{row} [{bar}] round {value} of {total}',
    stream: process.stderr,
    noTTYOutput: false,
    clearOnComplete: true,
    gracefulExit: false,
    linewrap: true,
  });
  if (process.stderr.isTTY) bar.start(1, 0, { row });
  try {
    return await measure((done, rounds) => {
      bar.setTotal(rounds);
      bar.update(done);
    });
  } finally {
    bar.stop();
  }
}
