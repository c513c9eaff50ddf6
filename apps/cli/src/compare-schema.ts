import { z } from 'zod';

const count = z.int().nonnegative();
const counts = z.record(z.string(), count);
const distribution = z.strictObject({ p50: count, p99: count, max: count, total: count });
/** Of all operations of one kind: allocations by cache, locks by class, and what core and strategy count. */
const cost = z.strictObject({ operations: count, allocations: counts, locks: counts, primitives: counts });
const added = z.strictObject({ vma: count, mm: count, folio: count });
const walks = z.strictObject({
  sampled: count,
  candidates: distribution,
  /** Those up to the last entry found. */
  needed: distribution,
  nodes: distribution,
  lookups: distribution,
  locks: distribution,
  passes: distribution,
  mappings: distribution,
});

const row = z.strictObject({
  strategy: z.string(),
  preset: z.string().nullable(),
  workload: z.string(),
  /** The first witness of a strategy that fails. */
  failure: z.string().nullable(),
  stopped: z.boolean(),
  /** What of the program the trace does not hold, in words. */
  leftOut: z.string().nullable(),
  operations: count,
  processes: z.strictObject({ total: count, peak: count }),
  /** By cache. */
  slab: z.record(z.string(), z.strictObject({ objectBytes: count, live: count, peak: count })),
  /** Peak bytes of the strategy's fields in structs of core. */
  added,
  /** The most that the strategy took at once, unmapped VMAs that it kept included: objects, bytes of them, and with its fields in structs of core. */
  own: z.strictObject({
    objects: count,
    bytes: count,
    together: z.strictObject({ bytes: count, live: counts, zombies: count, added }),
  }),
  marks: z.array(z.strictObject({ mark: z.string(), processes: count, live: counts, added: count, zombies: count })).readonly(),
  fork: cost,
  mremap: cost,
  walks: z.strictObject({ exclusive: walks, shared: walks }),
  /** By class. */
  locks: z.record(z.string(), z.strictObject({ reads: count, writes: count, contended: count })),
  counts,
  zombies: z.strictObject({ peak: count, end: count }),
  merges: count,
  vmas: z.strictObject({ live: count, peak: count }),
  checks: count,
  verify: z.strictObject({ folios: count, mappings: count, missed: count, wrong: count }),
  seconds: z.number().nonnegative(),
});

const line = z.strictObject({
  mark: z.string(),
  cache: z.string(),
  theirs: z.number().nullable(),
  ours: z.number(),
  before: count,
  after: count,
});

/** What `rmap-lab compare --json` prints. */
export const compareSchema = z.strictObject({
  schema: z.literal('rmap-lab/compare@1'),
  workload: z.string(),
  seed: z.int(),
  rows: z.array(row).readonly(),
  /** What the rows are called: unlike `strategy`, no two alike. */
  names: z.array(z.string()).readonly(),
  /** Strategies from outside that could not be measured to the end, and why. */
  failed: z.array(z.strictObject({ strategy: z.string(), blame: z.string() })).readonly(),
  /** It was interrupted. */
  partial: z.literal(true).optional(),
  /** Strategies whose turn had not come by then. */
  notRun: z.array(z.string()).readonly().optional(),
  /** With `--preset cover-letter`. */
  coverLetter: z
    .strictObject({
      lines: z.array(line).readonly(),
      remainders: z
        .array(
          z.strictObject({
            mark: z.string(),
            left: count,
            zygote: count,
            forkingApps: count,
            perForkingApp: z.number().nullable(),
            forkingAppsForTheirs: z.number().nullable(),
          }),
        )
        .readonly(),
      recorded: z.array(z.strictObject({ workload: z.string(), lines: z.array(line).readonly() })).readonly(),
    })
    .optional(),
});

/** The document that `rmap-lab compare --json` prints. */
export type CompareDocument = z.infer<typeof compareSchema>;
