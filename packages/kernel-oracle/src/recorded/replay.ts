import type { RmapStrategy } from '@rmap-lab/core';
import type { Difference } from '../judge.js';
import { ModelRun } from '../model-run.js';
import { modelOptions } from '../settings.js';
import { side } from '../side-by-side.js';
import { EVERYTHING, type View } from '../views.js';
import type { RecordedProgram } from './format.js';

/**
 * Runs a recorded program in the model and compares with what the kernel answered: every result, and after every operation what
 * `view` shows. The first difference, or null. Objects are counted where the classic design's graph is compared.
 */
export function replayRecorded(recorded: RecordedProgram, strategy: RmapStrategy, view: View = EVERYTHING): Difference | null {
  const { program, results, looks, settings } = recorded;
  const model = new ModelRun(strategy, modelOptions(settings));
  for (const [i, operation] of program.entries()) {
    const result = model.apply(operation);
    const objects = model.objects();
    const theirs = view.show(looks[i].records);
    const ours = model.look({ keep: true, view }).records;
    const sameObjects = !view.anonVmas || looks[i].objects.every((count, kind) => count === objects[kind]);
    if (result === results[i] && sameObjects && sameRecords(theirs, ours)) continue;
    return {
      program: program.slice(0, i + 1),
      kernel: side(results[i], theirs, view.anonVmas ? looks[i].objects : null),
      model: side(result, ours, view.anonVmas ? objects : null),
    };
  }
  return null;
}

type Records = readonly (readonly number[])[];

const sameRecords = (a: Records, b: Records): boolean =>
  a.length === b.length && a.every((record, i) => record.every((word, k) => word === b[i][k]));
