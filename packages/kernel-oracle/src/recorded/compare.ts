import { setImmediate } from 'node:timers/promises';
import type { RmapStrategy } from '@rmap-lab/core';
import { COLUMNS } from '../records.js';
import { type OracleReport, Tally } from '../report.js';
import type { Recording } from './read.js';
import { replayRecorded } from './replay.js';

/** Compares the model with what a kernel answered earlier; the first difference of each program is reported. `signal` ends it before its time. */
export async function compareRecording(
  { header, programs }: Recording,
  strategy: () => RmapStrategy,
  signal?: AbortSignal,
): Promise<OracleReport> {
  const tally = new Tally();
  for (const recorded of programs) {
    await setImmediate(); // or no signal would ever come
    if (signal?.aborted) break;
    const difference = replayRecorded(recorded, strategy());
    const operations = difference?.program.length ?? recorded.program.length;
    tally.add(recorded.program.slice(0, operations), { operations, observations: operations });
    if (difference !== null) tally.differences.push(difference);
  }
  const judge = `what Linux ${header.kernel} answered`;
  return tally.report({ judge, seed: null, columns: COLUMNS, missing: [], notes: [], partial: signal?.aborted ?? false });
}
