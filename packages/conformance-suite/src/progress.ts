import { SingleBar } from 'cli-progress';

/** Told of every case that begins. */
export type OnBegin = (id: string, done: number, of: number) => void;

/** Shows on a terminal, while `run` is under way, which case is. It hears no signals, so Ctrl-C ends the program as if there were no bar. */
export async function watched<T>(run: (onBegin: OnBegin) => Promise<T>): Promise<T> {
  const bar = new SingleBar({
    format: '[{bar}] {value} of {total} {id}',
    stream: process.stderr,
    noTTYOutput: false,
    clearOnComplete: true,
    gracefulExit: false,
    linewrap: true,
  });
  try {
    return await run((id, done, of) => {
      if (!bar.isActive && process.stderr.isTTY) bar.start(of, done, { id });
      bar.update(done, { id });
    });
  } finally {
    bar.stop();
  }
}
