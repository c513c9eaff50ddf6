import * as z from 'zod';
import { operationSchema, settingsSchema } from '../program-schema.js';

/** Name of the format, in every recording's first line. */
export const FORMAT = 'rmap-lab-oracle-recording';
/** Version that this package reads and writes. */
export const VERSION = 1;

/** The first line: which kernel answered, and how many programs follow. */
export const headerSchema = z.strictObject({
  format: z.literal(FORMAT),
  version: z.literal(VERSION),
  /** Release of the kernel, without what its builder added. */
  kernel: z.string(),
  machine: z.string(),
  programs: z.int().min(0),
});

const count = z.int().min(0);

/** One program a line, with what the kernel answered. */
export const recordedSchema = z.strictObject({
  flavour: z.string(),
  settings: settingsSchema,
  program: z.array(operationSchema),
  /** One for each operation: 'ok', the errno, or the signal. */
  results: z.array(z.string()),
  /** What could be seen after each operation: live vm_area_struct, anon_vma and anon_vma_chain, and the records. */
  looks: z.array(z.strictObject({ objects: z.tuple([count, count, count]), records: z.array(z.array(count)) })),
});

/** Which kernel answered. */
export type RecordingHeader = z.infer<typeof headerSchema>;
/** A program and what a real kernel answered to it. */
export type RecordedProgram = z.infer<typeof recordedSchema>;
