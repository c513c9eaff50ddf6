import type { Operation } from '@rmap-lab/core';
import * as z from 'zod';
import type { Objects } from '../model-run.js';
import { operationSchema, settingsSchema } from '../program-schema.js';
import type { Settings } from '../settings.js';
import type { Records } from '../views.js';

/** Name of the format, in every recording's first line. */
export const FORMAT = 'rmap-lab-oracle-recording';
/** Version that this package reads and writes. */
export const VERSION = 1;

/** The first line: which kernel answered, and how many programs follow. */
export interface RecordingHeader {
  readonly format: typeof FORMAT;
  readonly version: typeof VERSION;
  /** Release of the kernel, without what its builder added. */
  readonly kernel: string;
  readonly machine: string;
  readonly programs: number;
}

/** A program and what a real kernel answered to it: a line. */
export interface RecordedProgram {
  readonly flavour: string;
  readonly settings: Settings;
  readonly program: readonly Operation[];
  /** One for each operation: 'ok', the errno, or the signal. */
  readonly results: readonly string[];
  /** What could be seen after each operation: live vm_area_struct, anon_vma and anon_vma_chain, and the records. */
  readonly looks: readonly { readonly objects: Objects; readonly records: Records }[];
}

export const headerSchema = z.strictObject({
  format: z.literal(FORMAT),
  version: z.literal(VERSION),
  kernel: z.string(),
  machine: z.string(),
  programs: z.int().min(0),
}) satisfies z.ZodType<RecordingHeader>;

const count = z.int().min(0);

export const recordedSchema = z.strictObject({
  flavour: z.string(),
  settings: settingsSchema,
  program: z.array(operationSchema),
  results: z.array(z.string()),
  looks: z.array(z.strictObject({ objects: z.tuple([count, count, count]), records: z.array(z.array(count)) })),
}) satisfies z.ZodType<RecordedProgram>;
