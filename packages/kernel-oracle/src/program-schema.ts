import type { Operation } from '@rmap-lab/core';
import * as z from 'zod';

/** Pages of the arena (ARENA_HI - ARENA_LO in native/mailbox.h). */
const ARENA_PAGES = 2 ** 28;

const at = z.int().min(0).max(ARENA_PAGES);
const pages = z.int().min(0).max(ARENA_PAGES);
const bits = z.int().min(0);
const process = z.int().min(0);

/** One operation, as it is stored. */
export const operationSchema = z.discriminatedUnion('op', [
  z.strictObject({
    op: z.literal('mmap'),
    process,
    at,
    pages,
    prot: bits,
    flags: bits,
    memory: z.enum(['private', 'shared', 'file-private', 'file-shared']),
    offset: pages,
  }),
  z.strictObject({ op: z.enum(['munmap', 'mlock', 'munlock']), process, at, pages }),
  z.strictObject({ op: z.literal('mprotect'), process, at, pages, prot: bits }),
  z.strictObject({ op: z.literal('madvise'), process, at, pages, advice: bits }),
  z.strictObject({
    op: z.literal('mremap'),
    process,
    at,
    pages,
    newPages: pages,
    to: at.nullable(),
    dontUnmap: z.boolean(),
  }),
  z.strictObject({ op: z.literal('brk'), process, pages: z.int().min(-ARENA_PAGES).max(ARENA_PAGES) }),
  z.strictObject({ op: z.literal('splitFolio'), process, at, order: bits, unequal: z.boolean() }),
  z.strictObject({
    op: z.literal('fill'),
    process,
    at,
    pattern: z
      .int()
      .min(1)
      .max(2 ** 31 - 1),
  }),
  z.strictObject({ op: z.literal('uffdMove'), process, to: at, from: at, pages }),
  z.strictObject({ op: z.enum(['read', 'write', 'reclaim', 'migrate', 'startMigration']), process, at }),
  z.strictObject({
    op: z.enum([
      'fork',
      'thread',
      'exec',
      'exit',
      'splitDeferred',
      'swapOff',
      'finishMigrations',
      'ksmScan',
      'khugepagedScan',
      'ksmUnmerge',
    ]),
    process,
  }),
]) satisfies z.ZodType<Operation>;

/** What of the system a program depends on, as it is stored. */
export const settingsSchema = z.strictObject({
  orders: z.array(z.int().min(2).max(9)).readonly(),
  swap: z.boolean(),
});
