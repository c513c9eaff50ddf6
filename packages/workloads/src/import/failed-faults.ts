import { alignDown } from '@rmap-lab/core';
import { recordedEvents } from './events.js';

const FAULT = /^page_fault_(user|kernel): address=(\S+) ip=\S+ error_code=(\S+)/;
const SIGNAL = /^tracing_mark_write: SIGNAL (\d+) (\S+)/;
const EFAULT = /^sys_exit: NR -?\d+ = -14$/;

/** Page faults of a task on one page, in one way, with nothing in between. */
interface Faults {
  readonly where: string;
  readonly page: number;
  readonly code: string;
  readonly lines: number[];
}

/**
 * Lines of the page faults that found no memory, or none that may be used so: the task got a signal, or its system call answered EFAULT. No page was
 * touched. What the recorder wrote is read to its end for that, as the answer comes after others' events. @throws TraceError
 */
export async function failedFaults(
  lines: AsyncIterable<string> | Iterable<string>,
  name = 'events',
): Promise<ReadonlySet<number>> {
  const failed = new Set<number>();
  const latest = new Map<number, Faults>();
  for await (const { pid, text, position } of recordedEvents(lines, name)) {
    const fault = FAULT.exec(text);
    if (fault !== null) {
      const [, where, address, code] = fault;
      const page = alignDown(Number(address));
      const before = latest.get(pid);
      // A copy that fails is tried again, byte by byte.
      if (before?.page === page && before.code === code && before.where === where) before.lines.push(position);
      else latest.set(pid, { where, page, code, lines: [position] });
      continue;
    }
    const signal = SIGNAL.exec(text);
    const task = signal === null ? pid : Number(signal[1]);
    const faults = latest.get(task);
    if (faults === undefined) continue;
    if (signal !== null) {
      if (faults.page === alignDown(Number(signal[2]))) failed.add(faults.lines.at(-1)!);
    } else if (EFAULT.test(text) && faults.where === 'kernel') for (const line of faults.lines) failed.add(line);
    latest.delete(task);
  }
  return failed;
}
