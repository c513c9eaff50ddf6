import { createHash } from 'node:crypto';
import { InputError, type Layout } from '@rmap-lab/core';
import { z } from 'zod';

const parameterValues = z.record(z.string(), z.union([z.int().positive(), z.array(z.int().positive()).min(1)]));

/** What a sweep file holds. */
export const sweepSchema = z.strictObject({
  strategies: z.array(z.string().min(1)).min(1),
  workloads: z.array(z.strictObject({ workload: z.string().min(1), parameters: parameterValues.default({}) })).min(1),
  seeds: z.array(z.int().nonnegative()).min(1).default([1]),
  /** For each cell. */
  limits: z
    .strictObject({ seconds: z.number().positive().default(300), mebibytes: z.int().min(64).default(2048) })
    .default({ seconds: 300, mebibytes: 2048 }),
});

/** A grid of strategies, workloads, parameters and seeds. */
export type SweepSpec = z.infer<typeof sweepSchema>;

/** One run of a sweep. */
export interface Cell {
  /** Short name, package or file, perhaps with a preset. */
  readonly strategy: string;
  readonly workload: string;
  readonly parameters: Readonly<Record<string, number>>;
  readonly seed: number;
  /** Object sizes to count with. Absent: those of Linux 6.18. */
  readonly layout?: Layout;
  /** Digests of the code that it is run with, and of its trace, if it has one. */
  readonly contents?: string;
}

/** A sweep file says something else than it should. */
export class BadSweep extends InputError {
  override readonly name = 'BadSweep';
}

/** Reads a sweep file's text. @throws BadSweep, naming the field */
export function parseSweep(text: string, file: string): SweepSpec {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new BadSweep(`${file}: not JSON: ${(error as Error).message}`);
  }
  const result = sweepSchema.safeParse(value);
  if (result.success) return result.data;
  const [{ path, message }] = result.error.issues;
  throw new BadSweep(`${file}: ${path.join('.') || 'the document'}: ${message}`);
}

/** All cells of the grid, each once, strategies innermost: neighbours are to be compared. */
export function cellsOf({ strategies, workloads, seeds }: SweepSpec, layout?: Layout): Cell[] {
  const cells = workloads.flatMap(({ workload, parameters }) =>
    product(Object.entries(parameters)).flatMap((chosen) =>
      seeds.flatMap((seed) =>
        strategies.map((strategy): Cell => ({ strategy, workload, parameters: chosen, seed, ...(layout && { layout }) })),
      ),
    ),
  );
  return [...new Map(cells.map((cell) => [cellId(cell), cell])).values()];
}

function product([first, ...rest]: [string, number | number[]][]): Record<string, number>[] {
  if (first === undefined) return [{}];
  const [name, values] = first;
  const others = product(rest);
  return [values].flat().flatMap((value) => others.map((other) => ({ [name]: value, ...other })));
}

/** A cell's name in the store: the same cell has the same one on every machine. */
export function cellId({ strategy, workload, parameters, seed, layout, contents }: Cell): string {
  const sorted = entriesByName(parameters);
  const more = [layout && entriesByName(layout), contents].filter((each) => each !== undefined);
  return createHash('sha256')
    .update(JSON.stringify([strategy, workload, sorted, seed, ...more]))
    .digest('hex')
    .slice(0, 16);
}

const entriesByName = (record: object): [string, number][] => Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1));

/** Whether a cell belongs to shard `index` (from 1) of `count`: also where another machine has other code. */
export const inShard = ({ contents: _, ...cell }: Cell, index: number, count: number): boolean =>
  Number.parseInt(cellId(cell).slice(0, 8), 16) % count === index - 1;
