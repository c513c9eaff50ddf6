/** Of random programs. */
export const SEED = 1;
/** Switches away from a thread that could have gone on, in concurrent schedules, at most. */
export const PREEMPTIONS = 2;
/** Seconds that one case may take: every interleaving of a few operations is many schedules. */
export const longest = (preemptions = PREEMPTIONS): number => (preemptions === Number.POSITIVE_INFINITY ? 300 : 60);
