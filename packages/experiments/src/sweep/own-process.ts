import { fork } from 'node:child_process';
import { answerOf } from '@rmap-lab/plumbing';
import type { Measurement } from '../measure.js';
import type { CellAnswer, CellTask } from './run-cell.js';

/** A process needed more memory than it may have. */
export class OutOfMemory extends Error {
  override readonly name = 'OutOfMemory';
}

/** Measures one cell in a process of its own, which ends with `signal`. @throws OutOfMemory; Error for what the strategy threw, or how it ended the process */
export async function measureApart(task: CellTask, mebibytes: number, signal: AbortSignal): Promise<Measurement> {
  const child = fork(new URL('./run-cell.js', import.meta.url), {
    execArgv: [...process.execArgv, `--max-old-space-size=${mebibytes}`],
    stdio: ['ignore', 2, 'pipe', 'ipc'],
    serialization: 'advanced',
    signal,
    killSignal: 'SIGKILL',
  });
  let said = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  try {
    return await answerOf<CellAnswer, Measurement>(child, {
      task,
      hear: (answer) => {
        if ('error' in answer) throw new Error(answer.error);
        return answer.measurement;
      },
      // V8 ends a process without memory by itself, and says so.
      ended: (how) =>
        said.includes('heap out of memory') ? new OutOfMemory('heap out of memory') : new Error(`it ended its process (${how})`),
    });
  } catch (error) {
    if (!(error instanceof OutOfMemory)) process.stderr.write(said);
    throw error;
  }
}
