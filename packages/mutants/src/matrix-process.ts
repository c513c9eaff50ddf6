import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { milliseconds } from '@rmap-lab/plumbing';
import type { Answer, Task } from './matrix-worker.js';

/** A process that runs cases on mutants; when one of them hangs or breaks it down, another takes its place. */
export class MatrixProcess {
  private child: ChildProcess | null = null;

  /**
   * @param limit longest time of one case, in seconds
   * @param worker what the process runs
   */
  constructor(
    private readonly limit: number,
    private readonly worker = new URL('./matrix-worker.js', import.meta.url),
  ) {}

  /** Runs cases until all have ended, or one does not: then fewer answers come than there are cases. */
  run(task: Task): Promise<readonly Answer[]> {
    this.child ??= this.start();
    const { stdin, stdout } = this.child;
    if (stdin === null || stdout === null) throw new TypeError('a worker has no pipes');
    const answers: Answer[] = [];
    const child = this.child;
    let timer: NodeJS.Timeout;
    const wait = (): void => {
      clearTimeout(timer);
      timer = setTimeout(() => child.kill('SIGKILL'), milliseconds(this.limit));
    };
    return new Promise((resolve) => {
      const end = (): void => {
        clearTimeout(timer);
        lines.close();
        child.off('close', end);
        resolve(answers);
      };
      const lines = createInterface({ input: stdout });
      lines.on('line', (text) => {
        answers.push(JSON.parse(text) as Answer);
        if (answers.length < task.ids.length) wait();
        else end();
      });
      // Only then has all come that it said before it ended.
      child.once('close', end);
      wait();
      stdin.write(`${JSON.stringify(task)}\n`);
    });
  }

  stop(): void {
    this.child?.stdin?.end();
  }

  private start(): ChildProcess {
    const child = spawn(process.execPath, ['--max-old-space-size=512', fileURLToPath(this.worker)], {
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    // Also between two runs, where nobody waits for it.
    child.once('exit', () => {
      if (this.child === child) this.child = null;
    });
    // It ended, and whoever waits for it hears that.
    child.stdin?.on('error', () => {});
    return child;
  }
}
