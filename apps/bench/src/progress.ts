import { SingleBar } from 'cli-progress';
import type { OnRound } from './measure.js';

/** Shows on a terminal which row is measured, and how far. */
export class Progress {
  private readonly bar = new SingleBar({
    format: '{row} [{bar}] round {value} of {total}',
    stream: process.stderr,
    noTTYOutput: false,
    clearOnComplete: true,
  });

  /** What a row tells of its rounds. */
  of(row: string): OnRound {
    if (process.stderr.isTTY) this.bar.start(1, 0, { row });
    return (done, rounds) => {
      this.bar.setTotal(rounds);
      this.bar.update(done);
    };
  }

  stop(): void {
    this.bar.stop();
  }
}
