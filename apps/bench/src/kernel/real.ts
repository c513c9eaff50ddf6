import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { CannotObserve, compileProgram } from '@rmap-lab/kernel-oracle';
import type { Lap, OperationList } from './operations.js';

const SOURCE = fileURLToPath(new URL('../native/kernel-speed.c', import.meta.url));

/** The running kernel as a runner of operation lists, each in a fresh process. @throws CannotObserve */
export async function realKernel(): Promise<(list: OperationList) => Lap> {
  if (process.platform !== 'linux') throw new CannotObserve(`it takes Linux, this is ${process.platform}`);
  const program = await compileProgram(SOURCE);
  return ({ setup, timed }) => {
    const lines = [...setup, ...timed].map(({ process, kind, a, b, c }) => `${process} ${kind} ${a} ${b} ${c}`);
    const input = `${lines.length} ${setup.length}\n${lines.join('\n')}\n`;
    const { status, stdout, stderr, error } = spawnSync(program, { input, encoding: 'utf8', timeout: 60_000 });
    if (status !== 0) throw new CannotObserve(`the kernel refused: ${error?.message ?? (stderr.trim() || `status ${status}`)}`);
    const [nanoseconds, calls, pages, swapped] = stdout.split(' ').map(Number);
    return { nanoseconds, calls, pages, swapped };
  };
}
