import { SingleBar } from 'cli-progress';

/** Runs work that shows how far it is, by a bar of this format on a terminal, and that Ctrl-C ends with what it has done by then. */
export async function watched<T>(
  format: string | undefined,
  work: (signal: AbortSignal, bar: SingleBar) => Promise<T>,
): Promise<{ readonly done: T; readonly interrupted: boolean }> {
  const interrupt = new AbortController();
  const stop = (): void => interrupt.abort();
  process.once('SIGINT', stop);
  const bar = new SingleBar({ ...(format && { format }), stream: process.stderr, noTTYOutput: false, clearOnComplete: true });
  if (process.stderr.isTTY) bar.start(1, 0, { strategy: '' });
  try {
    return { done: await work(interrupt.signal, bar), interrupted: interrupt.signal.aborted };
  } finally {
    bar.stop();
    process.removeListener('SIGINT', stop);
  }
}

/** What strategies that are measured get. */
export interface Watch {
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
  /** Shows on a terminal whose turn it is, and operations done. */
  readonly onProgress: (strategy: string, operations: number) => void;
}

/** The same for work that measures one strategy after the other. */
export const watchedByStrategy = <T>(work: (watch: Watch) => Promise<T>) =>
  watched('{strategy}: {value} operations', (signal, bar) =>
    work({ signal, onProgress: (strategy, operations) => bar.update(operations, { strategy }) }),
  );
