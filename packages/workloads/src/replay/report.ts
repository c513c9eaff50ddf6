/** What a replay did, so far or in all. */
export interface ReplayReport {
  /** Records that did something: processes, execs, exits, calls, runs of touches, kernel records. */
  operations: number;
  /** The same by kind: `fork`, `exec`, `exit`, `mmap`, ..., `read`, `write`, `reclaim`, ... */
  readonly byKind: Record<string, number>;
  /** Calls that the recorded kernel refused. */
  refused: number;
  /** Pages touched. */
  touches: number;
  /** Touches that the model answers with a signal, though the recorded process went on. */
  unexplained: number;
  /** Records that the model can't do or answers differently. */
  mismatches: number;
  /** The first of both, with its record. null: there is none. */
  first: string | null;
  /** Whether the signal ended the replay before the trace did. */
  stopped: boolean;
}

/** A report of nothing yet. */
export const emptyReport = (): ReplayReport => ({
  operations: 0,
  byKind: {},
  refused: 0,
  touches: 0,
  unexplained: 0,
  mismatches: 0,
  first: null,
  stopped: false,
});
