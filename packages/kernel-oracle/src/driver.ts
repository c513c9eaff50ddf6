import { type ChildProcess, spawn } from 'node:child_process';
import { CannotObserve, type Programs } from './compile.js';
import { EVERYTHING, LAYOUT, type View } from './views.js';

/** The driver of a tree of real processes: commands in, answers out; what they mean is said in native/driver.c. */
export class Driver {
  private text = '';
  private wanted = 0;
  private lines: string[] = [];
  private finish: { resolve(lines: string[]): void; reject(error: Error): void } | null = null;
  private errors = '';

  private constructor(
    private readonly child: ChildProcess,
    /** What of a look it shows. */
    readonly view: View,
  ) {
    child.stdout?.setEncoding('latin1').on('data', (data: string) => this.take(data));
    child.stderr?.on('data', (data: Buffer) => {
      this.errors += data.toString();
    });
    child.stdin?.on('error', () => {}); // it died: `close` says why
    child.on('error', (error) => this.fail(error.message));
    child.on('close', () => this.fail(this.errors.trim().split('\n').pop() || 'the driver ended'));
  }

  /** Starts the tree with one process in slot 0. @throws CannotObserve */
  static async start({ driver, worker, bpf }: Programs): Promise<Driver> {
    // In a session of its own: Ctrl-C is for us, who still need the driver to put the system's settings back.
    const child = spawn(driver, bpf === null ? [worker] : [worker, bpf], { stdio: ['pipe', 'pipe', 'pipe'], detached: true });
    const started = new Driver(child, bpf === null ? LAYOUT : EVERYTHING);
    await started.ask([], 1);
    return started;
  }

  /** Sends commands and waits for one answer to each; one batch at a time. @throws CannotObserve when the driver died */
  ask(commands: readonly string[], answers: number = commands.length): Promise<string[]> {
    return new Promise((resolve, reject) => {
      if (this.child.exitCode !== null) reject(new CannotObserve('the driver has ended'));
      this.finish = { resolve, reject };
      this.wanted = answers;
      if (commands.length > 0) this.child.stdin?.write(`${commands.join('\n')}\n.\n`);
      this.settle();
    });
  }

  /** Ends all processes. */
  stop(): Promise<void> {
    return new Promise((resolve) => {
      if (this.child.exitCode !== null) resolve();
      this.child.once('close', () => resolve());
      this.child.stdin?.end();
    });
  }

  private take(data: string): void {
    const lines = (this.text + data).split('\n');
    this.text = lines.pop() as string;
    for (const line of lines) this.lines.push(line);
    this.settle();
  }

  private settle(): void {
    if (this.finish === null || this.lines.length < this.wanted) return;
    const { resolve } = this.finish;
    this.finish = null;
    resolve(this.lines.splice(0, this.wanted));
  }

  private fail(reason: string): void {
    this.finish?.reject(new CannotObserve(`the driver died: ${reason}`));
    this.finish = null;
  }
}
