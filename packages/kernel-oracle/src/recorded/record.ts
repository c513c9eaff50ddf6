import { machine, release } from 'node:os';
import type { RmapStrategy } from '@rmap-lab/core';
import { CannotObserve } from '../compile.js';
import { randomProgram } from '../generate.js';
import type { Oracle } from '../oracle.js';
import { Random } from '../random.js';
import { EVERYTHING } from '../views.js';
import { witness } from '../witness.js';
import { FORMAT, type RecordingHeader, VERSION } from './format.js';
import { RecordingWriter } from './write.js';

/** What to record. */
export interface RecordOptions {
  /** Makes the reverse map of the model that runs along: the one that Linux has. */
  readonly strategy: () => RmapStrategy;
  readonly programs: number;
  /** The same seed makes the same programs. */
  readonly seed: number;
  /** Called after each program with the number of programs done so far. */
  readonly onProgress?: (programs: number) => void;
  /** Ends the recording before its time. */
  readonly signal?: AbortSignal;
}

/** Operations of a recorded program: few, so that what differs is soon found. */
const LENGTH = 24;
/** The same of a flavour with many pages in a place. */
const LENGTH_OF_LARGE = 12;

/**
 * Asks the running kernel random programs of all its flavours and writes down everything it answers. The file appears once all are
 * answered, or when `signal` came, then with those that were: the header says how many. @throws CannotObserve, BadRecording
 */
export async function recordAnswers(oracle: Oracle, file: string, options: RecordOptions): Promise<RecordingHeader> {
  if (oracle.driver.view !== EVERYTHING) throw new CannotObserve(`answers are recorded whole, and here some can't be seen`);
  const kernel = release().replace(/[^\d.].*/, '');
  const planned: RecordingHeader = { format: FORMAT, version: VERSION, kernel, machine: machine(), programs: options.programs };
  const writer = await RecordingWriter.open(file, planned);
  try {
    await askAll(oracle, writer, options);
    return await writer.finish();
  } finally {
    await writer.close();
  }
}

async function askAll(oracle: Oracle, writer: RecordingWriter, options: RecordOptions): Promise<void> {
  const { programs, seed, strategy, signal, onProgress } = options;
  const { flavours } = oracle.tier;
  const random = new Random(seed);
  let done = 0;
  for (const [i, flavour] of flavours.entries()) {
    const last = Math.floor((programs * (i + 1)) / flavours.length);
    if (signal?.aborted) return;
    await oracle.system.with(flavour.settings, async () => {
      while (done < last && !signal?.aborted) {
        const program = randomProgram(random, flavour, flavour.placePages > 4 ? LENGTH_OF_LARGE : LENGTH);
        const { results, looks } = await witness(oracle.driver, program, flavour.settings, strategy, () => true);
        const { name, settings } = flavour;
        await writer.add({ flavour: name, settings, program, results, looks });
        done++;
        onProgress?.(done);
      }
    });
  }
}
