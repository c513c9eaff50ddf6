import { readFile } from 'node:fs/promises';
import { InputError, type Operation } from '@rmap-lab/core';
import * as z from 'zod';
import { isCompared } from './commands.js';
import { operationSchema, settingsSchema } from './program-schema.js';
import { DEFAULT_SETTINGS, type Settings } from './settings.js';

/** A program that is kept, and the settings of the system under which it means something. */
export interface SavedProgram {
  readonly settings: Settings;
  readonly program: readonly Operation[];
}

/** A file that holds no program, or none that a real kernel can be asked to run. */
export class BadProgram extends InputError {
  override readonly name = 'BadProgram';
}

const savedSchema = z.union([
  z.strictObject({ settings: settingsSchema.default(DEFAULT_SETTINGS), program: z.array(operationSchema) }),
  z.array(operationSchema).transform((program) => ({ settings: DEFAULT_SETTINGS, program })),
]);

/** A program as JSON: a list of operations, or `{"settings": {"orders": [9], "swap": false}, "program": [...]}`. @throws BadProgram */
export function parseProgram(text: string, name: string): SavedProgram {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new BadProgram(`${name} is no JSON: ${(error as Error).message}`);
  }
  // The two forms are told apart here, so that errors are those of the form that was meant.
  const form = savedSchema.options[Array.isArray(json) ? 1 : 0];
  const { data, error } = form.safeParse(json);
  if (data === undefined) throw new BadProgram(`${name} is no program: ${firstIssue(error)}`);
  const unasked = data.program.findIndex((operation) => !isCompared(operation));
  if (unasked >= 0)
    throw new BadProgram(
      `${name}: operation ${unasked + 1}, '${data.program[unasked].op}', is nothing that a real kernel can be asked for`,
    );
  return data;
}

/** The same from a file. @throws BadProgram */
export async function readProgram(file: string): Promise<SavedProgram> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new BadProgram(`${file} can't be read: ${error.message}`);
  });
  return parseProgram(text, file);
}

/** Where what is wrong first, and what. */
export function firstIssue(error: z.ZodError | undefined): string {
  const issue = error?.issues[0];
  const path = issue?.path.join('.') ?? '';
  return `${path === '' ? '' : `at ${path}: `}${issue?.message ?? 'it is empty'}`;
}
