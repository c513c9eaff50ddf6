import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll } from 'vitest';

const main = fileURLToPath(new URL('../dist/main.js', import.meta.url));
/** Where the command is run. */
export const scratch = mkdtempSync(join(tmpdir(), 'rmap-lab-cli-'));
afterAll(() => rmSync(scratch, { recursive: true }));

/** What a run of the command left. */
export interface Finished {
  /** null: a signal ended it. */
  readonly status: number | null;
  readonly out: string;
  readonly err: string;
}

/** Runs the built command in the scratch folder; with `killWhen` it is killed (kill -9) as soon as that is so. */
export function rmapLab(args: readonly string[], { killWhen }: { killWhen?: () => boolean } = {}): Promise<Finished> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [main, ...args], {
      cwd: scratch,
      env: { ...process.env, INIT_CWD: scratch, RMAP_LAB_PATIENCE: '3' },
    });
    let out = '';
    let err = '';
    child.stdout.on('data', (data) => (out += data));
    child.stderr.on('data', (data) => (err += data));
    const watch = setInterval(() => killWhen?.() && child.kill('SIGKILL'), 5);
    child.on('close', (status) => {
      clearInterval(watch);
      resolve({ status, out, err });
    });
  });
}

/** A file in the scratch folder; its name from there. */
export function file(name: string, text: string): string {
  writeFileSync(join(scratch, name), text);
  return `./${name}`;
}
