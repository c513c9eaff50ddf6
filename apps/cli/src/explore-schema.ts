import { z } from 'zod';

const count = z.int().nonnegative();

/** What `rmap-lab explore --json` prints. */
export const exploreSchema = z.strictObject({
  schema: z.literal('rmap-lab/explore@1'),
  scenario: z.string(),
  strategy: z.string(),
  engine: z.enum(['dpor', 'state', 'bounded', 'pct', 'pos', 'random', 'brute-force']),
  verdict: z.enum(['passes', 'fails']),
  /** Whether no interleaving of the scenario's steps is left out. */
  exhausted: z.boolean(),
  /** What the verdict is good for, in words. */
  bound: z.string(),
  schedules: count,
  steps: count,
  seconds: z.number().nonnegative(),
  failure: z
    .strictObject({
      rule: z.string(),
      /** What `rmap-lab replay` takes. */
      token: z.string(),
      /** Concurrent operations of the scenario. */
      operations: count,
      preemptions: count,
    })
    .nullable(),
});

/** The document that `rmap-lab explore --json` prints. */
export type ExploreDocument = z.infer<typeof exploreSchema>;
