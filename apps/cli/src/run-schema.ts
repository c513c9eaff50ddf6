import { z } from 'zod';

const count = z.int().nonnegative();
const livePeak = z.strictObject({ live: count, peak: count });

/** What `rmap-lab run --json` prints. */
export const runSchema = z.strictObject({
  schema: z.literal('rmap-lab/run@1'),
  strategy: z.string(),
  workload: z.string(),
  seed: z.int(),
  /** Only where the run was interrupted: the figures are of what was done by then. */
  partial: z.literal(true).optional(),
  /** What of the program the trace does not hold, in words; only where the trace says so. */
  leftOut: z.string().optional(),
  operations: z.strictObject({ total: count, refused: count, byKind: z.record(z.string(), count) }),
  /** Pages touched, touches the model could not explain, and records it answered differently. */
  replay: z.strictObject({ touches: count, unexplained: count, mismatches: count }),
  processes: z.strictObject({ peak: count, total: count }),
  vmas: livePeak,
  pages: livePeak,
  slab: z.record(z.string(), z.strictObject({ objectBytes: count, live: count, peak: count, allocated: count })),
  locks: z.record(z.string(), z.strictObject({ reads: count, writes: count, contended: count })),
  walks: z.strictObject({
    sampled: count,
    candidates: z.strictObject({ p50: count, p99: count, max: count, total: count }),
    mappings: count,
  }),
  /** Summed over all points of the run at which everything was checked. */
  verify: z.strictObject({ points: count, folios: count, mappings: count, missed: count, wrong: count }),
  /** What the kernel did beside the workload, with `--kernel-activity`. */
  kernelActivity: z.strictObject({ reclaimed: count, migrated: count, collapsed: count, split: count, merged: count }).optional(),
  seconds: z.number().nonnegative(),
  operationsPerSecond: z.number().nonnegative(),
});

/** The document that `rmap-lab run --json` prints. */
export type RunDocument = z.infer<typeof runSchema>;
