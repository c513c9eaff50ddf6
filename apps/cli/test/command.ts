import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type BodyRecord, createTraceWriter, type Header } from '@rmap-lab/workloads';
import { afterAll, afterEach } from 'vitest';

const main = fileURLToPath(new URL('../dist/main.js', import.meta.url));
/** Where the command is run. */
export const scratch = mkdtempSync(join(tmpdir(), 'rmap-lab-cli-'));
afterAll(() => rmSync(scratch, { recursive: true }));

/** JavaScript that never goes on, and leaves the processor to the other tests. */
export const HANG = 'Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);';

/** What a run of the command left. */
export interface Finished {
  /** null: a signal ended it. */
  readonly status: number | null;
  readonly out: string;
  readonly err: string;
}

/** When a run ends before its time. */
interface Ends {
  /** It is killed (kill -9) as soon as that is so. */
  readonly killWhen?: () => boolean;
  /** Ctrl-C, as soon as that is so: it and all that it started are interrupted, as on a terminal. */
  readonly interruptWhen?: (pid: number) => boolean;
}

const running = new Set<ChildProcess>();
/** What a test that took too long leaves would hold up those after it: only one at a time has the machine's kernel. */
afterEach(() => {
  for (const child of running) child.kill('SIGKILL');
});

/** Runs the built command for somebody in the scratch folder, or in `cwd`. */
export function rmapLab(
  args: readonly string[],
  { killWhen, interruptWhen, cwd = scratch }: Ends & { readonly cwd?: string } = {},
): Promise<Finished> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [main, ...args], {
      cwd,
      env: { ...process.env, INIT_CWD: scratch, NO_COLOR: '1', RMAP_LAB_PATIENCE: '8' },
      detached: interruptWhen !== undefined,
    });
    running.add(child);
    let out = '';
    let err = '';
    child.stdout.on('data', (data) => (out += data));
    child.stderr.on('data', (data) => (err += data));
    let interrupted = false;
    const watch = setInterval(() => {
      if (killWhen?.()) child.kill('SIGKILL');
      const pid = child.pid as number;
      if (interrupted || !interruptWhen?.(pid)) return;
      interrupted = true;
      process.kill(-pid, 'SIGINT');
    }, 5);
    child.on('close', (status) => {
      clearInterval(watch);
      running.delete(child);
      resolve({ status, out, err });
    });
  });
}

/** A file in the scratch folder; its name from there. */
export function file(name: string, text: string): string {
  writeFileSync(join(scratch, name), text);
  return `./${name}`;
}

/** The same of a trace. */
export async function traceFile(name: string, records: Iterable<Header | BodyRecord>): Promise<string> {
  const writer = createTraceWriter(join(scratch, name));
  for (const record of records) await writer.write(record);
  await writer.end();
  return `./${name}`;
}
