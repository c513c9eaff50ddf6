import { SingleBar } from 'cli-progress';

/** What work that is watched gets. */
export interface Watch {
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
  /** Shows on a terminal whose turn it is, and operations done. */
  readonly onProgress: (strategy: string, operations: number) => void;
}

/** Runs work that shows how far it is, and that Ctrl-C ends with what it has done by then. */
export async function watched<T>(
  work: (watch: Watch) => Promise<T>,
): Promise<{ readonly done: T; readonly interrupted: boolean }> {
  const interrupt = new AbortController();
  const stop = (): void => interrupt.abort();
  process.once('SIGINT', stop);
  const bar = new SingleBar({
    format: '{strategy}: {value} operations',
    stream: process.stderr,
    noTTYOutput: false,
    clearOnComplete: true,
  });
  if (process.stderr.isTTY) bar.start(0, 0, { strategy: '' });
  try {
    const onProgress = (strategy: string, operations: number): void => bar.update(operations, { strategy });
    return { done: await work({ signal: interrupt.signal, onProgress }), interrupted: interrupt.signal.aborted };
  } finally {
    bar.stop();
    process.removeListener('SIGINT', stop);
  }
}
