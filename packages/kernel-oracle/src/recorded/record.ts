import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { rename } from 'node:fs/promises';
import { machine, release } from 'node:os';
import type { Writable } from 'node:stream';
import { createGzip } from 'node:zlib';
import type { RmapStrategy } from '@rmap-lab/core';
import { CannotObserve } from '../compile.js';
import { randomProgram } from '../generate.js';
import type { Oracle } from '../oracle.js';
import { Random } from '../random.js';
import { EVERYTHING } from '../views.js';
import { witness } from '../witness.js';
import { FORMAT, type RecordedProgram, type RecordingHeader, VERSION } from './format.js';

/** What to record. */
export interface RecordOptions {
  /** Makes the reverse map of the model that runs along: the one that Linux has. */
  readonly strategy: () => RmapStrategy;
  readonly programs: number;
  /** The same seed makes the same programs. */
  readonly seed: number;
  /** Called after each program with the number of programs done so far. */
  readonly onProgress?: (programs: number) => void;
}

/** Operations of a recorded program: few, so that what differs is soon found. */
const LENGTH = 24;
/** The same of a flavour with many pages in a place. */
const LENGTH_OF_LARGE = 12;

/** Asks the running kernel random programs of all its flavours and writes down everything it answers. The file appears once it is whole. @throws CannotObserve */
export async function recordAnswers(oracle: Oracle, file: string, options: RecordOptions): Promise<RecordingHeader> {
  const { programs, seed } = options;
  if (oracle.driver.view !== EVERYTHING) throw new CannotObserve(`answers are recorded whole, and here some can't be seen`);
  const { flavours } = oracle.tier;
  const random = new Random(seed);
  const header: RecordingHeader = {
    format: FORMAT,
    version: VERSION,
    kernel: release().replace(/[^\d.].*/, ''),
    machine: machine(),
    programs,
  };
  const fresh = `${file}.part`;
  const gzip = createGzip({ level: 9 });
  const written = once(gzip.pipe(createWriteStream(fresh)), 'finish');
  await write(gzip, header);
  let done = 0;
  for (const [i, flavour] of flavours.entries()) {
    const last = Math.floor((programs * (i + 1)) / flavours.length);
    await oracle.system.with(flavour.settings, async () => {
      while (done < last) {
        const program = randomProgram(random, flavour, flavour.placePages > 4 ? LENGTH_OF_LARGE : LENGTH);
        const { results, looks } = await witness(oracle.driver, program, flavour.settings, options.strategy, () => true);
        const { name, settings } = flavour;
        await write(gzip, { flavour: name, settings, program, results, looks });
        done++;
        options.onProgress?.(done);
      }
    });
  }
  gzip.end();
  await written;
  await rename(fresh, file);
  return header;
}

async function write(to: Writable, line: RecordingHeader | Record<keyof RecordedProgram, unknown>): Promise<void> {
  if (!to.write(`${JSON.stringify(line)}\n`)) await once(to, 'drain');
}
