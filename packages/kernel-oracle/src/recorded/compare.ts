import type { RmapStrategy } from '@rmap-lab/core';
import { COLUMNS } from '../records.js';
import { type OracleReport, Tally } from '../report.js';
import type { Recording } from './read.js';
import { replayRecorded } from './replay.js';

/** Compares the model with what a kernel answered earlier; the first difference of each program is reported. */
export function compareRecording({ header, programs }: Recording, strategy: () => RmapStrategy): OracleReport {
  const tally = new Tally();
  for (const recorded of programs) {
    const difference = replayRecorded(recorded, strategy());
    const operations = difference?.program.length ?? recorded.program.length;
    tally.add(recorded.program.slice(0, operations), { operations, observations: operations });
    if (difference !== null) tally.differences.push(difference);
  }
  return tally.report({ judge: `what Linux ${header.kernel} answered`, seed: null, columns: COLUMNS, missing: [], notes: [] });
}
