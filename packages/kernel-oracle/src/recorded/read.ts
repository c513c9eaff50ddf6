import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { InputError } from '@rmap-lab/core';
import type * as z from 'zod';
import { firstIssue } from '../saved-program.js';
import { SHIPPED_RECORDING } from '../shipped.js';
import { headerSchema, type RecordedProgram, type RecordingHeader, recordedSchema } from './format.js';

/** A recording as a whole. */
export interface Recording {
  readonly header: RecordingHeader;
  readonly programs: readonly RecordedProgram[];
}

/** A file that is no recording, or not a whole one, or that none can be written to. */
export class BadRecording extends InputError {
  override readonly name = 'BadRecording';
}

/** Reads what a real kernel answered: gzip of one JSON document a line, a header and then the programs. @throws BadRecording */
export async function readRecording(file: string = SHIPPED_RECORDING): Promise<Recording> {
  const [first, ...rest] = (await textOf(file)).split('\n').filter((line) => line !== '');
  if (first === undefined) throw new BadRecording(`${file}: it is empty`);
  const header = parse(file, 1, first, headerSchema);
  const programs = rest.map((line, i) => parse(file, i + 2, line, recordedSchema));
  if (programs.length !== header.programs)
    throw new BadRecording(`${file}: it says ${header.programs} programs and holds ${programs.length}; it was cut short`);
  for (const [i, { program, results, looks }] of programs.entries())
    if (results.length !== program.length || looks.length !== program.length)
      throw new BadRecording(
        `${file}: line ${i + 2} has ${program.length} operations, ${results.length} results, ${looks.length} looks`,
      );
  return { header, programs };
}

async function textOf(file: string): Promise<string> {
  const bytes = await readFile(file).catch((error: NodeJS.ErrnoException) => {
    throw new BadRecording(`${file} can't be read: ${error.message}`);
  });
  try {
    return (await promisify(gunzip)(bytes)).toString();
  } catch (error) {
    throw new BadRecording(`${file} is no gzip file, or a damaged one: ${(error as Error).message}`);
  }
}

function parse<T>(file: string, line: number, text: string, schema: z.ZodType<T>): T {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new BadRecording(`${file}: line ${line} is no JSON: ${(error as Error).message}`);
  }
  const { data, error } = schema.safeParse(json);
  if (data === undefined) throw new BadRecording(`${file}: line ${line}: ${firstIssue(error)}`);
  return data;
}
